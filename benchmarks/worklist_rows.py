"""A hospital's films by `generate_series`: a million of them in minutes, on PostgreSQL only."""

from __future__ import annotations

from typing import Final

# n is the number of a film, the oldest is 1, one came each minute; those from {open} on wait
_FILM: Final = "FROM generate_series(1, {studies}) AS n"
_SIGNED: Final = f"{_FILM} WHERE n < {{open}}"
_FLAGGED: Final = "(n % 3 = 0)"
_DISAGREE: Final = "(n % 20 = 7)"
_WORD: Final = f"(CASE WHEN {_FLAGGED} <> {_DISAGREE} THEN 'abnormal' ELSE 'normal' END)"
_LABEL: Final = (
    f"(CASE WHEN NOT {_FLAGGED} THEN 'normal' WHEN n % 2 = 0 THEN 'covid' ELSE 'pneumonia' END)"
)
# of those that wait, some were refused by the gate and some failed
_STATE: Final = (
    "(CASE WHEN n < {open} THEN 'done' WHEN n % 50 = 1 THEN 'refused'"
    " WHEN n % 37 = 1 THEN 'failed' ELSE 'done' END)"
)
_RECEIVED: Final = "(now() - ({studies} - n) * interval '1 minute')"
_READ: Final = "(now() - ({open} - n) * interval '1 minute')"
_UNSEEN: Final = 2000  # so many of the newest signatures have no second look yet

# `detection.second_look`
_DRAW: Final = "(('x' || left(md5(n::text), 8))::bit(32)::bigint / 4294967296.0)"
_WANTED: Final = f"({_DISAGREE} OR NOT {_FLAGGED} AND {_DRAW} < {{share}})"

STATEMENTS: Final = (
    (
        "INSERT INTO patients_patient (id, identifier, issuer, name, birth_date, sex, "
        "is_synthetic, created_at) SELECT n, 'BENCH' || n, '', '', "
        f"date '1950-01-01' + n % 20000, 'F', true, now() {_FILM}"
    ),
    (
        "INSERT INTO imaging_study (id, study_instance_uid, accession_number, description, "
        f"created_at, patient_id) SELECT n, '2.25.1' || n, '', '', now(), n {_FILM}"
    ),
    (
        "INSERT INTO imaging_series (id, series_instance_uid, modality, body_part, study_id)"
        f" SELECT n, '2.25.2' || n, 'DX', 'CHEST', n {_FILM}"
    ),
    (
        "INSERT INTO imaging_image (id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, "
        "sha256, pixel_sha256, path, size, rows, columns, frames, bits_stored, photometric, "
        "view_position, acquired_at, acquired_at_is_guess, received_at, door, device_serial, "
        "machine_facts, display_problem, display_message, attribution, is_demo, device_id, "
        "series_id, burned_in, requested_urgency) "
        "SELECT n, '2.25.3' || n, '1.2.840.10008.5.1.4.1.1.1.1', '1.2.840.10008.1.2.1', "
        "md5(n::text) || md5(n::text), md5(n::text) || md5(n::text),"
        " 'bench/' || n, 1, 1024, 1024, 1, 8, 'MONOCHROME2', 'PA', "
        f"{_RECEIVED}, false, {_RECEIVED}, 'command', '', '{{{{}}}}', '', '', '', false,"
        " {device} + n % 20, n, '', (CASE WHEN n % 40 = 3 THEN 'high' ELSE '' END)"
        f" {_FILM}"
    ),
    (
        "INSERT INTO detection_detectionrun (id, state, reason_code, reason, gate_code, "
        "gate_reason, gate_at, attempts, lease_token, queued_at, sent_at, finished_at, seconds, "
        f"device_trust, trust_reasons, image_id, version_id, thresholds) SELECT n, {_STATE}, '',"
        " '',"
        f" (CASE {_STATE} WHEN 'refused' THEN 'not_chest' ELSE '' END), '',"
        f" (CASE {_STATE} WHEN 'refused' THEN {_RECEIVED} END), 1, '', {_RECEIVED}, {_RECEIVED},"
        f" {_RECEIVED}, 0.3, (CASE WHEN n % 11 = 0 THEN 'reduced' ELSE 'full' END), '[]', n,"
        f" {{version}}, '{{{{}}}}' {_FILM}"
    ),
    (
        "INSERT INTO detection_finding (label, score, x, y, w, h, run_id)"
        f" SELECT {_LABEL}, 0.65 + (n % 35) / 100.0, 10, 20, 300, 500, n {_FILM}"
    ),
    (
        "INSERT INTO detection_signature (id, by_name, at, conclusion, text, by_id, image_id)"
        f" SELECT n, 'Bench', {_READ}, {_WORD}, '', {{reader}}, n {_SIGNED}"
    ),
    (
        "INSERT INTO detection_worklistitem (run_state, flagged, label, score, trust, needs_reader,"
        " signed, rank, waiting_since, image_id, run_id, head_start, urgency, urgency_reason,"
        " look_since)"
        f" SELECT 'done', {_FLAGGED}, (CASE WHEN {_FLAGGED} THEN {_LABEL} ELSE '' END),"
        f" (CASE WHEN {_FLAGGED} THEN 0.65 + (n % 35) / 100.0 END), 'full', false, true, 0,"
        f" {_RECEIVED}, n, n, 0, '', '', (CASE WHEN {_WANTED} AND n >= {{open}} - {_UNSEEN}"
        f" THEN {_READ} END) {_SIGNED}"
    ),
    # every second look of before was taken: the queue is short, and hard to find
    (
        "INSERT INTO reading_secondlook (at, agrees, reason, by_id, signature_id)"
        f" SELECT {_READ}, true, 'bench', {{reader}}, n {_SIGNED} AND n < {{open}} - {_UNSEEN}"
        f" AND {_WANTED}"
    ),
)
TABLES: Final = (
    "patients_patient", "imaging_study", "imaging_series", "imaging_image",
    "detection_detectionrun", "detection_signature",
)  # fmt: skip


def fill(studies: int, waiting: int) -> None:
    """`studies` of one film each, all read: the newest `waiting` wait, the rest is signed."""
    from django.conf import settings
    from django.db import connection

    from accounts.models import User
    from detection.models import DetectorVersion
    from detection.services.worklist import refresh_items
    from devices.models import Device, DeviceModel

    model = DeviceModel.objects.create(manufacturer="Bench", name="B-1", modality="DX")
    first, *_ = [
        Device.objects.create(serial=f"B-{n}", name=f"B{n}", model=model, is_synthetic=True).pk
        for n in range(20)
    ]
    values = {
        "studies": studies,
        "open": studies - waiting + 1,
        "device": first,
        "version": DetectorVersion.objects.get(state="active").pk,
        "reader": User.objects.get(username="clinician2").pk,
        "share": settings.SECOND_LOOK_SHARE,
    }
    with connection.cursor() as cursor:
        # the rows refer to each other by construction: no trigger need look at each
        cursor.execute("SET session_replication_role = replica")
        for statement in STATEMENTS:
            cursor.execute(statement.format(**values))
        cursor.execute("SET session_replication_role = DEFAULT")
        for table in TABLES:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
            )
    refresh_items(image_ids=range(studies - waiting + 1, studies + 1))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
