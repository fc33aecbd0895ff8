import { preferredLocale, useText } from '~/composables/useText'

export default defineNuxtPlugin(async () => {
  const { setLocale } = useText()
  await setLocale(preferredLocale())
})
