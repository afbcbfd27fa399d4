// Trunk's last step of a release build: each file of the page also as .br and .gz, so that no server
// compresses anything twice; and the one number that matters, with its limit.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const LIMIT = 130_000; // bytes of wasm as they travel
const folder = process.env.TRUNK_STAGING_DIR;

if (process.env.TRUNK_PROFILE === "release") {
  for (const name of readdirSync(folder).filter((name) => /\.(js|wasm|css|svg)$/.test(name))) {
    const plain = readFileSync(join(folder, name));
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length };
    const brotli = brotliCompressSync(plain, { params });
    writeFileSync(join(folder, `${name}.br`), brotli);
    writeFileSync(join(folder, `${name}.gz`), gzipSync(plain, { level: 9 }));
    if (name.endsWith(".wasm")) {
      console.log(`page: ${plain.length} bytes of wasm, ${brotli.length} with brotli (at most ${LIMIT})`);
      if (brotli.length > LIMIT) {
        console.error("page: too large");
        process.exit(1);
      }
    }
  }
}
