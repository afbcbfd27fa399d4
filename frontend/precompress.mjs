// Trunk's last step. Of every build: the words of each language as files with a hash in its name, which the document
// names. Of a release build: the styles as one file, which is one request; each file of the page also as .br and .gz, so
// that no server compresses anything twice; and what travels, with its limits.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const LIMITS = { wasm: 175_000, js: 12_000, css: 10_000, json: 20_000 }; // bytes, as they travel
const folder = process.env.TRUNK_STAGING_DIR;

const document = join(folder, "index.html");
let html = readFileSync(document, "utf8");
const read = (path) => JSON.parse(readFileSync(join(process.env.TRUNK_SOURCE_DIR, path), "utf8"));
const hashOf = (text) => createHash("sha256").update(text).digest("hex").slice(0, 16);
const write = (name, value) => {
  const text = JSON.stringify(value);
  const hash = hashOf(text);
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
const release = process.env.TRUNK_PROFILE === "release";
if (release) {
  const links = [...html.matchAll(/ *<link rel="stylesheet" href="\/hub\/([^"]+)"[^>]*>\n/g)];
  const sheets = links.map(([, name]) => readFileSync(join(folder, name), "utf8").replace(/\/\*.*?\*\//gs, ""));
  const style = sheets.join("\n");
  const name = `style-${hashOf(style)}.css`;
  writeFileSync(join(folder, name), style);
  for (const [index, [link, sheet]] of links.entries()) {
    html = html.replace(link, index === 0 ? `    <link rel="stylesheet" href="/hub/${name}">\n` : "");
    rmSync(join(folder, sheet));
  }
  // A quarter of a kilobyte is not worth a request.
  html = html.replace(/<link rel="icon" href="\/hub\/([^"]+)"[^>]*>/, (_, name) => {
    const icon = readFileSync(join(folder, name), "utf8").trim();
    rmSync(join(folder, name));
    return `<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(icon)}">`;
  });
  html = html.replace(/ *<!-- .*?-->\n/gs, ""); // The server's marks have no space.
}
writeFileSync(document, html);

if (release) {
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
