// Length, angle and region: Cornerstone3D's tools over our own picture (docs/decisions/0017). The library
// is fetched when a reader first measures. It draws the lines and follows the pointer; what the numbers
// say is reckoned in film-calibration.js, and where things lie comes from the view's matrix.

import { angle, distance, kindOf, scaleOf, short, statistics } from "./film-calibration.js";

const VIEWPORT = "film";
const STYLE = {
  color: "rgb(255, 224, 102)",
  colorHighlighted: "rgb(255, 255, 255)",
  colorSelected: "rgb(255, 255, 255)",
  textBoxColor: "rgb(255, 224, 102)",
  textBoxColorHighlighted: "rgb(255, 255, 255)",
  textBoxColorSelected: "rgb(255, 255, 255)",
  textBoxFontSize: "13px",
  textBoxBackground: "rgb(0 0 0 / 65%)",
  lineWidth: "1.5",
};
let started;

// once for the page: the library keeps its state in its modules
async function start() {
  const library = await import("../vendor/cornerstone.esm.js");
  await library.initCore({ rendering: { useCPURendering: true } });
  library.setUseCPURendering(true);
  await library.initTools();
  const { global } = library.toolStyle.getDefaultToolStyles();
  library.toolStyle.setDefaultToolStyles({ global: { ...global, ...STYLE } });
  return library;
}

export class FilmMeasures {
  /** @param {HTMLElement} host covers the stage of `view`; measurements are drawn in it. */
  constructor(host, view) {
    this.host = host;
    this.view = view;
    this.tool = null; // what a drag draws: length, angle, rectangle, ellipse
    view.addEventListener("move", () => this.draw());
    // the library swallows each key that its element gets; they belong to the page
    host.addEventListener("focus", () => view.stage.focus({ preventScroll: true }));
  }

  /** Chooses a tool, or none (measurements stay). Throws where the library can't be had. */
  async use(tool) {
    if (tool && !this.group) await this.#open();
    const { names, group } = this;
    if (!group) return;
    const { MouseBindings } = this.library.ToolEnums;
    this.library.cancelActiveManipulations(this.host);
    for (const name of Object.values(names)) group.setToolPassive(name, { removeAllBindings: true });
    if (tool) group.setToolActive(names[tool], { bindings: [{ mouseButton: MouseBindings.Primary }] });
    this.tool = tool;
    this.view.mode = tool ? "measure" : "pan";
    this.host.classList.toggle("is-active", Boolean(tool));
    this.host.hidden = false;
  }

  get count() {
    return this.group ? this.library.getAllAnnotations().length : 0;
  }

  /** Takes away what is selected, else the last one; true where there was one. */
  remove() {
    if (!this.count) return false;
    const { library } = this;
    const selected = library.getAnnotationsSelected();
    const last = library.getAllAnnotations().at(-1).annotationUID;
    for (const uid of selected.length ? selected : [last]) library.removeAnnotation(uid);
    this.draw();
    return true;
  }

  draw() {
    if (this.group) this.library.triggerAnnotationRender(this.host);
  }

  async #open() {
    started ??= start();
    this.library = await started.catch((error) => {
      started = null; // the network may be back at the next try
      throw new Error("The measuring tools could not be fetched. Check the network and try again.", { cause: error });
    });
    const { library, view } = this;
    const [column, row] = scaleOf(view.film);
    library.imageLoader.registerImageLoader("film", (imageId) => ({ promise: Promise.resolve(imageOf(imageId, view.film)) }));
    library.metaData.addProvider((type) => moduleOf(type, view.film), 10000);
    this.host.hidden = false;
    const engine = new library.RenderingEngine("film");
    engine.enableElement({ viewportId: VIEWPORT, element: this.host, type: library.CoreEnums.ViewportType.STACK });
    const viewport = engine.getViewport(VIEWPORT);
    // the picture is ours, and so is where it lies: world coordinates are millimetres of the film
    viewport.customRenderViewportToCanvas = () => {
      const { canvas, element, id: viewportId, renderingEngineId, viewportStatus } = viewport;
      return { canvas, element, viewportId, renderingEngineId, viewportStatus };
    };
    viewport.worldToCanvas = ([x, y]) => view.toStage([x / column, y / row]);
    viewport.canvasToWorld = (point) => {
      const [x, y] = view.toFilm(point);
      return [x * column, y * row, 0];
    };
    await viewport.setStack([`film:${VIEWPORT}`]);
    new ResizeObserver(() => engine.resize(true, true)).observe(this.host);
    this.#tools(engine);
  }

  #tools(engine) {
    const { library } = this;
    const { LengthTool, AngleTool, RectangleROITool, EllipticalROITool } = library;
    const tools = { length: LengthTool, angle: AngleTool, rectangle: RectangleROITool, ellipse: EllipticalROITool };
    const lines = { length: this.#length, angle: this.#angle, rectangle: this.#rectangle, ellipse: this.#ellipse };
    this.group = library.ToolGroupManager.createToolGroup("film");
    this.names = {};
    for (const [name, tool] of Object.entries(tools)) {
      library.addTool(tool);
      this.names[name] = tool.toolName;
      // numbers are ours, so the library needn't go through the pixels
      this.group.addTool(tool.toolName, { calculateStats: false, getTextLines: (data) => lines[name].call(this, this.#points(data)) });
    }
    this.group.addViewport(VIEWPORT, engine.id);
  }

  // handles in film pixels
  #points({ handles }) {
    const [column, row] = scaleOf(this.view.film);
    return handles.points.map(([x, y]) => [x / column, y / row]);
  }

  #length([a, b]) {
    const { value, unit } = distance(this.view.film, a, b);
    const kind = kindOf(this.view.film);
    return [`${short(value)} ${unit}`, ...(kind ? [kind] : ["no pixel size known"])];
  }

  #angle([a, corner, b]) {
    return b ? [`${angle(this.view.film, a, corner, b).toFixed(1)}°`] : [];
  }

  #rectangle(points) {
    return this.#region(points, false);
  }

  #ellipse(points) {
    return this.#region(points, true);
  }

  #region(points, ellipse) {
    const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
    const [x, y] = [Math.min(...xs), Math.min(...ys)];
    const box = [x, y, Math.max(...xs) - x, Math.max(...ys) - y];
    const { n, mean, sd, min, max, area, unit } = statistics(this.view.film, box, { ellipse });
    if (!n) return ["no pixel inside"];
    return [`mean ${short(mean)}  SD ${short(sd)}`, `${short(min)} to ${short(max)}`, `${short(area)} ${unit}, ${n} pixels`];
  }
}

function imageOf(imageId, film) {
  const { values, width, height } = film.levels[0];
  const [column, row] = scaleOf(film);
  return {
    imageId, rows: height, columns: width, height, width,
    minPixelValue: 0, maxPixelValue: 65535, slope: 1, intercept: 0, windowCenter: 32768, windowWidth: 65536,
    getPixelData: () => values, imageFrame: {}, numberOfComponents: 1, color: false, rgba: false, invert: false,
    columnPixelSpacing: column, rowPixelSpacing: row, photometricInterpretation: film.photometric,
    sizeInBytes: values.byteLength, dataType: values.constructor.name,
  };
}

// what the library asks about an image
function moduleOf(type, film) {
  const { rows, columns, photometric } = film;
  const [column, row] = scaleOf(film);
  if (type === "imagePixelModule") {
    const signed = film.levels[0].values instanceof Int16Array;
    return {
      rows, columns, bitsAllocated: 16, bitsStored: 16, highBit: 15, samplesPerPixel: 1,
      pixelRepresentation: signed ? 1 : 0, photometricInterpretation: photometric,
    };
  }
  if (type === "imagePlaneModule") {
    return {
      rows, columns, imageOrientationPatient: [1, 0, 0, 0, 1, 0], rowCosines: [1, 0, 0], columnCosines: [0, 1, 0],
      imagePositionPatient: [0, 0, 0], rowPixelSpacing: row, columnPixelSpacing: column, pixelSpacing: [row, column],
      frameOfReferenceUID: VIEWPORT, usingDefaultValues: false,
    };
  }
  if (type === "generalSeriesModule") return { modality: "DX", seriesInstanceUID: VIEWPORT, studyInstanceUID: VIEWPORT };
  return undefined;
}
