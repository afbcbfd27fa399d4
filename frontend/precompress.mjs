// Trunk's last step. Of every build: the words of each language as files with a hash in its name, which the document
// names. Of a release build: each file of the page also as .br and .gz, so that no server compresses anything twice; and
// what travels, with its limits.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const LIMITS = { wasm: 165_000, js: 12_000, css: 10_000, json: 20_000 }; // bytes, as they travel
const folder = process.env.TRUNK_STAGING_DIR;

const document = join(folder, "index.html");
let html = readFileSync(document, "utf8");
const read = (path) => JSON.parse(readFileSync(join(process.env.TRUNK_SOURCE_DIR, path), "utf8"));
const write = (name, value) => {
  const text = JSON.stringify(value);
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
  writeFileSync(join(folder, `${name}-${hash}.json`), text);
  html = html.replaceAll(`${name}.json`, `${name}-${hash}.json`);
};
for (const language of ["en", "fr"]) {
  // In their order, without the names for people.
  write(`words-${language}`, Object.values(read(`src/text/${language}.json`)));
  // Slurm's reasons, which few pages need.
  const reasons = Object.entries(read(`../shared/words/reasons.${language}.json`));
  write(`why-${language}`, reasons.map(([key, said]) => [key, said.what, said.do]));
}
writeFileSync(document, html);

if (process.env.TRUNK_PROFILE === "release") {
  const sizes = Object.fromEntries(Object.keys(LIMITS).map((kind) => [kind, 0]));
  for (const name of readdirSync(folder).filter((name) => /\.(js|json|wasm|css|svg)$/.test(name))) {
    const plain = readFileSync(join(folder, name));
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length };
    const brotli = brotliCompressSync(plain, { params });
    writeFileSync(join(folder, `${name}.br`), brotli);
    writeFileSync(join(folder, `${name}.gz`), gzipSync(plain, { level: 9 }));
    sizes[name.split(".").pop()] += brotli.length;
  }
  const large = Object.entries(LIMITS).filter(([kind, limit]) => sizes[kind] > limit);
  const said = Object.entries(LIMITS).map(([kind, limit]) => `${kind} ${sizes[kind]} of ${limit}`);
  console.log(`page: bytes with brotli: ${said.join(", ")}`);
  if (large.length > 0) {
    console.error("page: too large");
    process.exit(1);
  }
}
