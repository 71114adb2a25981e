"""The decoding process: every encoding we promise, and nothing it does harms its parent."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import (
    JPEG2000,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from imaging import pixels
from imaging.decoding import client
from imaging.decoding.process import Child, ChildDiedError, ChildTimeoutError
from twinhealth.errors import InvalidInputError, TooLargeError

from .factories import make_dataset, make_dicom, make_picture, make_pixels, to_bytes

SYNTAXES = [
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
    JPEGLSLossless,
    JPEG2000Lossless,
]


@pytest.fixture
def write(tmp_path: Path):
    def to_file(data: bytes) -> Path:
        path = tmp_path / "film"
        path.write_bytes(data)
        return path

    return to_file


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize(
    ("bits", "signed"), [(8, False), (10, False), (12, False), (16, False), (12, True), (16, True)]
)
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_lossless_encodings(write, syntax, bits, signed, photometric):
    stored = make_pixels(bits=bits, signed=signed, rows=37, columns=53)
    path = write(
        make_dicom(pixels=stored, bits=bits, transfer_syntax=syntax, photometric=photometric)
    )
    frame = pixels.read_file(path)
    assert np.array_equal(frame.pixels, stored)
    assert (frame.photometric, frame.bits_stored) == (photometric, bits)


def test_lossy_jpeg2000(write):
    stored = make_pixels(bits=12)
    frame = pixels.read_file(write(_lossy(stored)))
    assert np.abs(frame.pixels.astype(int) - stored).mean() < 40


def _lossy(stored) -> bytes:
    data = make_dataset(pixels=stored)
    data.compress(JPEG2000, j2k_cr=[8], generate_instance_uid=False)
    return to_bytes(data)


DCMTK = [
    # program, arguments, bits, lossless
    ("dcmcrle", [], 12, True),
    ("dcmcjpls", [], 12, True),
    ("dcmcjpeg", ["+e1"], 12, True),  # lossless, SV1
    ("dcmcjpeg", ["+el"], 16, True),  # lossless, process 14
    ("dcmcjpeg", ["+eb", "+q", "95"], 8, False),  # baseline
    ("dcmcjpeg", ["+ee", "+q", "95"], 8, False),  # extended, 8 bits
]


@pytest.mark.dcmtk
@pytest.mark.parametrize(("program", "arguments", "bits", "lossless"), DCMTK)
def test_what_dcmtk_writes(tmp_path, program, arguments, bits, lossless):
    assert shutil.which(program), f"{program} of dcmtk is missing"
    stored = make_pixels(bits=bits, rows=40, columns=60)
    source, target = tmp_path / "a.dcm", tmp_path / "b.dcm"
    source.write_bytes(make_dicom(pixels=stored, bits=bits))
    subprocess.run([program, *arguments, source, target], check=True, capture_output=True)
    frame = pixels.read_file(target)
    difference = np.abs(frame.pixels.astype(int) - stored)
    assert difference.max() == 0 if lossless else difference.mean() < 4
    assert frame.bits_stored == bits


@pytest.mark.dcmtk
@pytest.mark.django_db
def test_extended_jpeg_of_12_bits_is_kept_and_not_shown(tmp_path, send, archive):
    source, target = tmp_path / "a.dcm", tmp_path / "b.dcm"
    source.write_bytes(make_dicom(bits=12))
    subprocess.run(["dcmcjpeg", "+ee", source, target], check=True, capture_output=True)
    data = target.read_bytes()
    image = send(data).image
    assert image.display_problem == "cannot_display"
    assert "decode" in image.display_message
    assert image.pixel_sha256 == ""
    assert (archive / image.path).read_bytes() == data
    for read in (lambda: pixels.load(image), lambda: pixels.read_file(target)):
        with pytest.raises(InvalidInputError) as caught:
            read()
        assert caught.value.code == "cannot_display"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("data", "word"),
    [
        (
            make_dicom(
                pixels=np.zeros((8, 8, 3), np.uint8),
                bits=8,
                photometric="RGB",
                PlanarConfiguration=0,
            ),
            "colour",
        ),
        (
            make_dicom(
                pixels=make_pixels(rows=64), NumberOfFrames=4, Rows=16, patient_name="multi"
            ),
            "frames",
        ),
        (make_dicom(HighBit=15, BitsStored=12), "order"),
        (make_dicom(bits=8, BitsStored=4, HighBit=3), "bits"),
    ],
)
def test_films_that_are_kept_and_not_shown(send, data, word):
    image = send(data).image
    assert image.display_problem == "cannot_display"
    assert word in image.display_message


def test_pictures(write):
    frame = pixels.read_file(write(make_picture(seed=3)))
    assert np.array_equal(frame.pixels, make_pixels(bits=8, seed=3))
    assert frame.windows[0].width == 256
    frame = pixels.read_file(write(make_picture(mode="I;16", seed=3)))
    assert np.array_equal(frame.pixels, make_pixels(bits=16, seed=3))
    assert (frame.windows, frame.bits_stored) == ((), 16)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"hello", "unknown_format"),
        (b"PK\x03\x04" + b"\0" * 99, "unknown_format"),
    ],
)
def test_other_files(write, data, code):
    with pytest.raises(InvalidInputError) as caught:
        pixels.read_file(write(data))
    assert caught.value.code == code


@pytest.mark.parametrize("name", ["nothing", "."])
def test_no_file(tmp_path, name):
    with pytest.raises(InvalidInputError) as caught:
        pixels.read_file(tmp_path / name)
    assert caught.value.code == "unreadable"


def test_a_pipe_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidInputError) as caught:
        pixels.read_file(tmp_path / "pipe")
    assert caught.value.code == "unreadable"


# --- the process

ASK = {"op": "inspect", "zone": "UTC"}


@pytest.fixture
def child():
    made = Child(memory_bytes=1 << 30)
    yield made
    if made.alive:
        made.kill()


def _request(path: Path) -> dict:
    from imaging.decoding.limits import Limits

    limits = Limits(bytes=1 << 28, pixels=1 << 26, side=1 << 14, frames=64)
    return {**ASK, "path": str(path), "limits": limits.to_json()}


def test_a_crashed_decoder_is_a_clear_error(write, monkeypatch):
    path = write(make_dicom())
    client.inspect(path)

    def crash(self, request, **_):
        os.kill(self.pid, signal.SIGSEGV)
        return real(self, request, seconds=10, max_body=0)

    real = Child.ask
    monkeypatch.setattr(Child, "ask", crash)
    with pytest.raises(InvalidInputError) as caught:
        client.inspect(path)
    assert caught.value.code == "decoder_failed"
    monkeypatch.undo()
    assert client.inspect(path).problem == ""


def test_a_decoder_that_hangs_is_replaced(write, settings, monkeypatch):
    path = write(make_dicom())
    client.inspect(path)
    settings.DECODE_SECONDS = 0.3
    stopped = []

    def stop(self, request, **limits):
        os.kill(self.pid, signal.SIGSTOP)
        stopped.append(self)
        return real(self, request, **limits)

    real = Child.ask
    monkeypatch.setattr(Child, "ask", stop)
    with pytest.raises(InvalidInputError) as caught:
        client.inspect(path)
    assert caught.value.code == "decode_timeout"
    monkeypatch.undo()
    assert not stopped[0].alive
    settings.DECODE_SECONDS = 20
    assert client.inspect(path).problem == ""


def test_an_idle_child_that_was_killed_is_replaced(write):
    path = write(make_dicom())
    client.inspect(path)
    for idle in list(client._pool._idle):
        os.kill(idle.pid, signal.SIGKILL)
        while idle.alive:
            time.sleep(0.01)
    assert client.inspect(path).problem == ""


def test_an_interrupted_question_leaves_no_half_answer(write, child, monkeypatch):
    """A task's soft time limit raises in the middle of reading."""
    path = write(make_dicom())
    child.ask(_request(path), seconds=20, max_body=0)

    class SoftTimeLimitError(Exception):
        pass

    def interrupted(*_):
        raise SoftTimeLimitError

    monkeypatch.setattr("imaging.decoding.process.os.readv", interrupted)
    with pytest.raises(SoftTimeLimitError):
        child.ask(_request(path), seconds=20, max_body=0)
    assert not child.alive


def test_memory_is_limited(write, tmp_path):
    """An address space in which the picture doesn't fit: an answer, not a dead parent."""
    big = write(make_dicom(pixels=np.zeros((6000, 6000), np.uint16)))
    small = Child(memory_bytes=330 << 20)
    try:
        head, _ = small.ask(_request(big), seconds=30, max_body=0)
        assert head["error"]["code"] == "decode_memory"
    except ChildDiedError:
        assert not small.alive
    finally:
        if small.alive:
            small.kill()


def test_memory_error_is_a_domain_error(write, monkeypatch, settings):
    settings.DECODE_MEMORY_BYTES = 330 << 20
    client.close_pool()
    big = write(make_dicom(pixels=np.zeros((6000, 6000), np.uint16)))
    with pytest.raises((TooLargeError, InvalidInputError)) as caught:
        client.inspect(big)
    assert caught.value.code in {"decode_memory", "decoder_failed"}
    client.close_pool()


def test_nonsense_from_the_child_ends_it(child, monkeypatch):
    monkeypatch.setattr(
        "imaging.decoding.process.unpack", lambda read, max_body: (read(10**6), b"")
    )
    with pytest.raises(ChildTimeoutError):
        child.ask({"op": "nothing"}, seconds=0.5, max_body=0)
    assert not child.alive


def test_an_unknown_question_is_answered(child):
    head, _ = child.ask({"op": "nothing"}, seconds=20, max_body=0)
    assert head["error"]["code"] == "decoder_failed"


def test_a_body_beyond_the_cap_is_not_read(write, child):
    path = write(make_dicom())
    request = {**_request(path), "op": "decode", "kind": "dicom"}
    with pytest.raises(ChildDiedError):
        child.ask(request, seconds=20, max_body=100)
    assert not child.alive


def test_a_worn_child_is_replaced(write, monkeypatch):
    monkeypatch.setattr(client, "_REQUESTS_PER_CHILD", 2)
    client.close_pool()
    path = write(make_dicom())
    seen = set()
    for _ in range(4):
        client.inspect(path)
        seen |= {c.pid for c in client._pool._idle}
    assert len(seen) == 2


def test_threads_share_the_pool(write, settings):
    settings.DECODE_PROCESSES = 2
    path = write(make_dicom())
    expected = client.inspect(path).pixels.sha256
    results = []

    def work():
        for _ in range(5):
            results.append(client.inspect(path).pixels.sha256)  # noqa: PERF401 - as they come

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 30
    assert len(client._pool._idle) <= 2


def test_a_forked_process_starts_its_own(write):
    """As Celery's workers do; the parent's children stay the parent's."""
    path = write(make_dicom())
    client.inspect(path)
    mine = {c.pid for c in client._pool._idle}
    read, send = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            client.inspect(path)
            theirs = {c.pid for c in client._pool._idle}
            os.write(send, b"own" if theirs and not theirs & mine else b"shared")
            client.close_pool()
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(read, 10) == b"own"
    os.close(read)
    os.close(send)
    assert client.inspect(path).problem == ""
    assert mine & {c.pid for c in client._pool._idle}


def test_the_child_holds_no_secret_and_no_django():
    code = (
        "import sys; import imaging.decoding.child; "
        "print([m for m in sys.modules if m.split('.')[0] in ('django', 'torch', 'cv2')])"
    )
    done = subprocess.run(
        [os.sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]"


def test_the_child_ends_with_its_parent(child):
    child.ask({"op": "nothing"}, seconds=20, max_body=0)
    child._process.stdin.close()
    assert child._process.wait(timeout=10) == 0
    child._process.stdout.close()


def test_the_web_process_stays_small():
    """Nothing of the decoders, and nothing of torch, is imported by the pages."""
    code = (
        "import os, sys; os.environ['DJANGO_SETTINGS_MODULE']='twinhealth.settings.testing'; "
        "import django; django.setup(); import imaging.views, imaging.api; "
        "bad = {'torch', 'cv2', 'pydicom', 'gdcm', 'openjpeg', 'scipy'}; "
        "print(sorted(bad & set(sys.modules)))"
    )
    done = subprocess.run(
        [os.sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip().splitlines()[-1] == "[]"
