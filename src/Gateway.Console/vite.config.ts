import { gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** Puts each text also with gzip beside it, so that the gateway need not compress what never changes. */
function packed(): Plugin {
  return {
    name: "packed",
    apply: "build",
    enforce: "post",
    generateBundle(_, bundle) {
      for (const [fileName, file] of Object.entries(bundle)) {
        if (!fileName.startsWith("console/")) continue;

        const content = file.type === "chunk" ? file.code : file.source;
        const gzip = gzipSync(content, { level: 9 });
        if (gzip.length < content.length) this.emitFile({ type: "asset", fileName: `${fileName}.gz`, source: gzip });
      }
    },
  };
}

// `npm run dev` shows the console with the API of a gateway that runs at its usual address.
const gateway = process.env["GATEWAY"] ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react(), packed()],
  build: {
    assetsDir: "console/assets",
    // A data: address would be one more thing for the content security policy to allow.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2023",
    chunkSizeWarningLimit: 1000,
  },
  server: { proxy: { "/api": gateway, "/static": gateway } },
});
