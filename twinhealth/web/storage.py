"""Static files under names that hold their hash, the imports between our ES modules included."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage that also rewrites imports, static and dynamic, in `static/js/`.

    Without it a module that is both a page's script and imported by another one is fetched under
    two names, runs twice, and does twice what it does on a click. Django's own switch for this
    reads the scripts of every package, and stumbles over examples in their comments.
    """

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        (
            "js/*.js",
            (
                (r"""(?P<matched>from\s*"(?P<url>\.[^"]+)"\s*;)""", 'from "%(url)s";'),
                (r"""(?P<matched>import\("(?P<url>\.[^"]+)"\))""", 'import("%(url)s")'),
            ),
        ),
    )
