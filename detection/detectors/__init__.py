"""The reader itself: the only place that imports torch and OpenMMLab, and only when asked to.

Importing this package or `loader` loads neither; `loader.load_detector()` does.
"""
