/** Builds the worker page into `dist`: relative addresses, no inline scripts, nothing from other origins. */
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** Our packages and TypeGPU do nothing on import that another module could see: what is unused may be left out. */
const pure = /\/packages\/|\/node_modules\/(typegpu|hash-wasm)\//
const rolldownOptions = { treeshake: { moduleSideEffects: [{ test: pure, sideEffects: false }] } }

export default defineConfig({
  base: './',
  plugins: [react()],
  build: {
    target: 'es2024',
    // Inlined images would be `data:` addresses, which the page's content security policy refuses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions,
  },
  worker: { format: 'es', rolldownOptions },
})
