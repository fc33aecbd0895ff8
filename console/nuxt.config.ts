// The console is a static single-page application: it is generated once, embedded in the server's
// binary and served from the gateway's own origin, so nothing here may fetch from another host.
export default defineNuxtConfig({
  compatibilityDate: '2026-01-01',
  ssr: false,
  modules: ['@nuxt/ui'],
  css: ['~/assets/css/main.css'],
  devtools: { enabled: false },
  telemetry: false,
  app: {
    head: {
      title: 'BSS',
      meta: [{ name: 'viewport', content: 'width=device-width, initial-scale=1' }],
      link: [{ rel: 'icon', type: 'image/svg+xml', href: '/favicon.svg' }],
    },
  },
  // Icons come from the bundle alone; without these settings they would be fetched from a public service.
  icon: {
    provider: 'none',
    fallbackToApi: false,
    clientBundle: {
      scan: { globInclude: ['app/**/*.{vue,ts}'] },
      sizeLimitKb: 128,
      icons: [
        'lucide:arrow-down', 'lucide:arrow-left', 'lucide:arrow-right', 'lucide:arrow-up', 'lucide:check',
        'lucide:chevron-down', 'lucide:chevron-left', 'lucide:chevron-right', 'lucide:chevron-up',
        'lucide:chevrons-left', 'lucide:chevrons-right', 'lucide:ellipsis', 'lucide:loader-circle',
        'lucide:minus', 'lucide:plus', 'lucide:search', 'lucide:x', 'lucide:copy', 'lucide:copy-check',
        'lucide:circle-alert', 'lucide:circle-check', 'lucide:circle-x', 'lucide:info',
        'lucide:triangle-alert', 'lucide:eye', 'lucide:eye-off', 'lucide:sun', 'lucide:moon',
      ],
    },
  },
  ui: { fonts: false },
  vite: {
    build: { chunkSizeWarningLimit: 400 },
  },
  typescript: { strict: true },
})
