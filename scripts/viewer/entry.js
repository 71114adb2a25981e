// What static/js/film-measure.js uses of Cornerstone3D; nothing else ends up in the bundle.
// State and styles come from their own files: the packages' collections of names pull in every tool.
export { init as initCore, RenderingEngine, Enums as CoreEnums, imageLoader, metaData, cache, setUseCPURendering } from "@cornerstonejs/core";
export {
  init as initTools,
  addTool,
  cancelActiveManipulations,
  Enums as ToolEnums,
  ToolGroupManager,
  LengthTool,
  AngleTool,
  RectangleROITool,
  EllipticalROITool,
} from "@cornerstonejs/tools";
export { getAllAnnotations, removeAnnotation, removeAllAnnotations } from "./node_modules/@cornerstonejs/tools/dist/esm/stateManagement/annotation/annotationState.js";
export { getAnnotationsSelected } from "./node_modules/@cornerstonejs/tools/dist/esm/stateManagement/annotation/annotationSelection.js";
export { default as toolStyle } from "./node_modules/@cornerstonejs/tools/dist/esm/stateManagement/annotation/config/ToolStyle.js";
export { default as triggerAnnotationRender } from "@cornerstonejs/tools/utilities/triggerAnnotationRender";
