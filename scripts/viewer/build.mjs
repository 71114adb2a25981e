// Bundles what film-measure.js needs of Cornerstone3D into one file, with the licences of what is in it:
//     npm ci --ignore-scripts && node build.mjs
// Measurements are drawn as SVG and the picture by our own painter (docs/decisions/0017), so everything
// that draws pixels on a graphics card, meshes, volumes or video is left out.
import { build } from "esbuild";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const OUT = join(HERE, "..", "..", "static", "vendor");
const BUNDLE = join(OUT, "cornerstone.esm.js");
const MODULES = join(HERE, "node_modules");

// units of PET, booleans of contours, readers of meshes, the second graphics path
const UNUSED = /^@cornerstonejs\/calculate-suv$|^clipper2-ts$|vtk\.js\/IO\/|(^|\/)WebGPU\//;
// CommonJS, so that a name that isn't there is undefined; clipper2's enums are read while loading
const NOTHING = { contents: "module.exports = { ClipType: {}, FillRule: {} };", loader: "js" };
const STYLED = "textElement.setAttribute('style', combinedStyle)";

const nothing = ({ path }) => ({ path, namespace: "nothing", sideEffects: false });

/** dcmjs without its parser: the words of the dictionary that Cornerstone names while it loads. */
async function dictionary() {
  const { default: dcmjs } = await import("dcmjs");
  const root = join(MODULES, "@cornerstonejs", "metadata", "dist", "esm");
  const words = new Set();
  for (const file of await readdir(root, { recursive: true })) {
    if (!file.endsWith(".js")) continue;
    const text = await readFile(join(root, file), "utf8");
    for (const word of text.match(/\b[A-Z]\w{2,}\b/g) ?? []) words.add(word);
  }
  const names = Object.entries(dcmjs.data.DicomMetaDictionary.nameMap).filter(([name]) => words.has(name));
  names.sort(([a], [b]) => (a < b ? -1 : 1));
  return `
    import loglevel from "loglevel";
    loglevel.setLevel("warn");
    export const log = loglevel;
    export const constants = ${JSON.stringify(dcmjs.constants ?? {})};
    class Absent { constructor() { throw new Error("DICOM is parsed by the server"); } }
    const nameMap = ${JSON.stringify(Object.fromEntries(names))};
    export default {
      log, constants, data: { DicomMetaDictionary: { dictionary: {}, nameMap } },
      utilities: { DicomMetadataListener: Absent }, async: { AsyncDicomReader: Absent },
    };`;
}

const trim = {
  name: "trim",
  setup(b) {
    // of the classes of viewports only stacks are wanted
    b.onResolve({ filter: /Viewport.*\.js$|viewport3D\.js$/ }, (a) =>
      a.importer.endsWith("viewportTypeToViewportClass.js") && !/\/(StackViewport|ViewportTypes?)\.js$/.test(a.path)
        ? nothing(a)
        : undefined,
    );
    // the factory of drawing classes names all that a graphics card can do
    b.onResolve({ filter: /vtk\.js\/Rendering\/OpenGL\/|vtkStreamingOpenGLVolumeMapper|vtkStreamingOpenGLImageReslice/ }, (a) =>
      a.importer.endsWith("vtkStreamingOpenGLViewNodeFactory.js") && !/\/ViewNodeFactory\.js$/.test(a.path)
        ? nothing(a)
        : undefined,
    );
    b.onLoad({ filter: /ColorTransferFunction[\\/]ColorMaps\.json\.js$/ }, () => ({ contents: "export default [];", loader: "js" }));
    // dist/esm/package.json hides the packages' own "sideEffects": false, so all tools would stay in
    b.onResolve({ filter: /^\.{1,2}\// }, async (a) => {
      const inside = a.importer.includes(`${sep}node_modules${sep}@cornerstonejs${sep}`);
      if (a.pluginData === "seen" || !inside || a.kind !== "import-statement") return undefined;
      const { importer, resolveDir, kind } = a;
      return { ...(await b.resolve(a.path, { importer, resolveDir, kind, pluginData: "seen" })), sideEffects: false };
    });
    b.onResolve({ filter: /^dcmjs$/ }, () => ({ path: "dcmjs", namespace: "dictionary" }));
    b.onLoad({ filter: /.*/, namespace: "dictionary" }, async () => ({ contents: await dictionary(), loader: "js", resolveDir: HERE }));
    b.onResolve({ filter: UNUSED }, nothing);
    b.onLoad({ filter: /.*/, namespace: "nothing" }, () => NOTHING);
    // a style attribute is refused by style-src 'self'; the same through the object model is not
    b.onLoad({ filter: /drawingSvg[\\/]drawTextBox\.js$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      if (!text.includes(STYLED)) throw new Error(`the patch no longer fits ${path}`);
      return { contents: text.replace(STYLED, "textElement.style.cssText = combinedStyle"), loader: "js" };
    });
  },
};

// Cornerstone's packages come without the text of their repository, and seedrandom has it in its README
async function licenceFile(name, folder) {
  if (name.startsWith("@cornerstonejs/")) return join(HERE, "cornerstonejs.LICENSE");
  const file = (await readdir(folder)).find((f) => /^licen[cs]e/i.test(f));
  if (file || name === "seedrandom") return join(folder, file ?? "README.md");
  throw new Error(`${name} has no licence file: find its text`);
}

/** Name, version, licence and its text of every package that gave a byte. */
async function licences(inputs) {
  const packages = new Map();
  for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
    const found = /^(?:.*?)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path);
    if (found && bytesInOutput) packages.set(found[1], null);
  }
  packages.set("dcmjs", null); // words of its dictionary
  const parts = [];
  for (const name of [...packages.keys()].sort()) {
    const folder = join(MODULES, name);
    const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const text = (await readFile(await licenceFile(name, folder), "utf8")).trim();
    parts.push(`${name} ${version}: ${license ?? "see below"}\n\n${text}`);
  }
  return `${parts.join(`\n\n${"-".repeat(72)}\n\n`)}\n`;
}

const { metafile } = await build({
  absWorkingDir: HERE,
  entryPoints: ["entry.js"],
  outfile: BUNDLE,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "none", // all of them stand in the notice file
  plugins: [trim],
  define: { "process.env.NODE_ENV": '"production"' },
  logLevel: "warning",
  metafile: true,
});
const [output] = Object.values(metafile.outputs);
await writeFile(join(OUT, "cornerstone.LICENSES"), await licences(output.inputs));
const groups = {};
for (const [path, { bytesInOutput }] of Object.entries(output.inputs)) {
  const name = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? "own";
  groups[name] = (groups[name] ?? 0) + bytesInOutput;
}
console.log(output.bytes, "bytes", groups);
