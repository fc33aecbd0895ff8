import { InMemoryWebStorage, UserManager, WebStorageStateStore, type User } from 'oidc-client-ts'
import { computed, shallowRef } from 'vue'
import { useSessionFor } from '~/api/client'
import { allows, type Role } from '~/utils/places'

const user = shallowRef<User | null>(null)
let manager: UserManager | undefined

/** Tokens live in memory alone; the PKCE verifier must outlive the redirect and stands in the session's storage. */
function theManager(): UserManager {
  if (manager) return manager
  const origin = window.location.origin
  manager = new UserManager({
    authority: `${origin}/realms/bss`,
    client_id: 'bss-console',
    redirect_uri: `${origin}/auth/callback`,
    post_logout_redirect_uri: `${origin}/`,
    response_type: 'code',
    scope: 'openid profile roles',
    loadUserInfo: false,
    monitorSession: false,
    automaticSilentRenew: true,
    userStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
    stateStore: new WebStorageStateStore({ store: window.sessionStorage }),
  })
  manager.events.addUserLoaded((next) => { user.value = next })
  manager.events.addUserUnloaded(() => { user.value = null })
  useSessionFor({ token: () => user.value?.access_token, renew })
  return manager
}

/** After a 401: a new token by refresh; where that fails, the sign-in page, and back to the same address. */
async function renew(): Promise<void> {
  try {
    user.value = await theManager().signinSilent()
  } catch {
    user.value = null
  }
  if (!user.value) await signIn(window.location.pathname + window.location.search)
}

async function signIn(returnTo: string): Promise<void> {
  await theManager().signinRedirect({ state: { returnTo } })
}

/** Ends the sign-in redirect; gives the address the reader had asked for. */
async function finish(): Promise<string> {
  const signedIn = await theManager().signinRedirectCallback()
  user.value = signedIn
  const returnTo = (signedIn.state as { returnTo?: string } | undefined)?.returnTo ?? '/'
  // Only a path of our own: never an address that somebody else has put into the state.
  return returnTo.startsWith('/') && !returnTo.startsWith('//') ? returnTo : '/'
}

function rolesOf(token: string | undefined): string[] {
  if (!token) return []
  try {
    const body = JSON.parse(atob(token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/'))) as {
      roles?: string[], realm_access?: { roles?: string[] }
    }
    return body.realm_access?.roles ?? body.roles ?? []
  } catch {
    return []
  }
}

const roles = computed(() => rolesOf(user.value?.access_token))

export function useAuth() {
  return {
    user: computed(() => user.value),
    name: computed(() => user.value?.profile.name ?? user.value?.profile.preferred_username ?? user.value?.profile.sub ?? ''),
    roles,
    can: (...wanted: Role[]) => allows(roles.value, wanted),
    signIn,
    finish,
    signOut: () => theManager().signoutRedirect(),
  }
}
