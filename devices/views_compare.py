"""Two machines side by side."""
from django.http import HttpResponse
from accounts.decorators import requires
from accounts.permissions import Can
@requires(Can.DEVICE_READ)
def compare(request):
    return HttpResponse("")
