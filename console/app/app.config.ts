export default defineAppConfig({
  ui: {
    colors: { primary: 'teal', neutral: 'slate' },
    button: { defaultVariants: { size: 'sm' } },
    input: { defaultVariants: { size: 'sm' } },
    select: { defaultVariants: { size: 'sm' } },
  },
})
