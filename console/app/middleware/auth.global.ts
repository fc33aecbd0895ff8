// Pages marked public (the gallery, the sign-in's own) open without an account; all others sign in first.
export default defineNuxtRouteMiddleware(async (to) => {
  if (to.meta.public) return
  const { user, signIn } = useAuth()
  if (user.value && !user.value.expired) return
  try {
    await signIn(to.fullPath)
    return abortNavigation()
  } catch {
    return navigateTo({ path: '/auth/failed', query: { to: to.fullPath } })
  }
})
