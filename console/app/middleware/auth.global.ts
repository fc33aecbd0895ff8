// Pages marked public (the gallery, the sign-in's own) open without an account; all others sign in first.
export default defineNuxtRouteMiddleware(async (to) => {
  if (to.meta.public) return
  const { user, roles, signIn } = useAuth()
  if (user.value && !user.value.expired) {
    const start = startOf(roles.value)
    return to.path === '/' && start !== '/' ? navigateTo(start, { replace: true }) : undefined
  }
  try {
    await signIn(to.fullPath)
    return abortNavigation()
  } catch {
    return navigateTo({ path: '/auth/failed', query: { to: to.fullPath } })
  }
})
