"""Pages of `inventory`."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import views_contracts as contracts
from . import views_files as files
from . import views_mds2 as mds2
from . import views_needs as needs
from . import views_parts as parts
from . import views_recalls as recalls

app_name = "inventory"
urlpatterns: list[URLPattern] = [
    path("inventory/parts/", parts.part_list, name="parts"),
    path("inventory/parts.csv", parts.part_csv, name="parts-csv"),
    path("inventory/parts/new/", parts.part_new, name="part-new"),
    path("inventory/parts/to-reorder/", parts.to_reorder, name="to-reorder"),
    path("inventory/parts/to-reorder.csv", parts.to_reorder_csv, name="to-reorder-csv"),
    path("inventory/parts/<int:pk>/", parts.part, name="part"),
    path("inventory/parts/<int:pk>/edit/", parts.part_edit, name="part-edit"),
    path("inventory/parts/<int:pk>/receive/", parts.part_receive, name="part-receive"),
    path("inventory/parts/<int:pk>/count/", parts.part_count, name="part-count"),
    path("inventory/orders/<int:pk>/issue/", parts.order_issue, name="order-issue"),
    path("inventory/movements/<int:pk>/return/", parts.movement_return, name="movement-return"),
    path("inventory/plans/<int:pk>/parts/", needs.plan_need, name="plan-need"),
    path("inventory/model-plans/<int:pk>/parts/", needs.model_plan_need, name="model-plan-need"),
    path("inventory/vendors/", parts.vendor_list, name="vendors"),
    path("inventory/vendors/new/", parts.vendor_new, name="vendor-new"),
    path("inventory/vendors/<int:pk>/", parts.vendor_edit, name="vendor"),
    path("inventory/contracts/", contracts.contract_list, name="contracts"),
    path("inventory/contracts/new/", contracts.contract_new, name="contract-new"),
    path("inventory/contracts/<int:pk>/", contracts.contract, name="contract"),
    path("inventory/contracts/<int:pk>/edit/", contracts.contract_edit, name="contract-edit"),
    path("inventory/devices/<int:pk>/warranty/", contracts.warranty_new, name="warranty-new"),
    path(
        "inventory/warranties/<int:pk>/withdraw/",
        contracts.warranty_withdraw,
        name="warranty-withdraw",
    ),
    path("inventory/recalls/", recalls.recall_list, name="recalls"),
    path("inventory/recalls.csv", recalls.recall_csv, name="recalls-csv"),
    path("inventory/recalls/<int:pk>/", recalls.recall, name="recall"),
    path(
        "inventory/candidates/<int:pk>/confirm/",
        recalls.candidate_confirm,
        name="candidate-confirm",
    ),
    path(
        "inventory/candidates/<int:pk>/reject/", recalls.candidate_reject, name="candidate-reject"
    ),
    path(
        "inventory/candidates/<int:pk>/reopen/", recalls.candidate_reopen, name="candidate-reopen"
    ),
    path("inventory/candidates/<int:pk>/order/", recalls.candidate_order, name="candidate-order"),
    path("inventory/mds2/", mds2.mds2_list, name="mds2-list"),
    path("inventory/mds2/<int:pk>/", mds2.mds2_sheet, name="mds2"),
    path("inventory/mds2/<int:pk>/edit/", mds2.mds2_edit, name="mds2-edit"),
    path("inventory/mds2/<int:pk>/answers.csv", mds2.mds2_csv, name="mds2-csv"),
    path("inventory/audit-files/", files.audit_file_list, name="audit-files"),
    path("inventory/audit-files/<int:pk>/", files.audit_file, name="audit-file"),
    path("inventory/audit-files/<int:pk>/file.pdf", files.audit_file_pdf, name="audit-file-pdf"),
    path("inventory/audit-files/<int:pk>/file.zip", files.audit_file_zip, name="audit-file-zip"),
    path("inventory/imports/", files.import_list, name="imports"),
    path("inventory/imports/<int:pk>/", files.import_page, name="import"),
    path("inventory/imports/<int:pk>/apply/", files.import_apply, name="import-apply"),
    path("inventory/imports/<int:pk>/discard/", files.import_discard, name="import-discard"),
    path("inventory/imports/<int:pk>/fates.csv", files.import_fates, name="import-fates"),
    path("inventory/machines.csv", files.machines_csv, name="machines-csv"),
    path("inventory/plans.csv", files.plans_csv, name="plans-csv"),
]
