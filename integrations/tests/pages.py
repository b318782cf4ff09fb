"""Use the admin as a browser does."""

from django.contrib.messages import get_messages
from django.urls import reverse


def page(obj, name="change"):
    kind = f"admin:{obj._meta.app_label}_{obj._meta.model_name}_{name}"
    return reverse(kind, args=[obj.pk])


def press(browser, obj, button, **form):
    """Press a button that opens a dialog, and send the dialog; return what is then said."""
    answer = browser.post(page(obj, button), {"_form_submitted": "on", **form}, headers={"HX-Request": "true"})
    assert answer.status_code == 200, answer.status_code
    return answer.headers.get("HX-Redirect", ""), said_to(answer)


def act(browser, model, name, *rows, **fields):
    """Run a list action."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    answer = browser.post(url, {"action": name, "_selected_action": [row.pk for row in rows], **fields})
    return answer, said_to(answer)


def said_to(answer):
    """Return what the person is told next, and forget what was said before."""
    said = [str(message) for message in get_messages(answer.wsgi_request)]
    answer.client.cookies.pop("messages", None)
    return said


def form_of(browser, url):
    """Return the fields of a page's form as a browser would send them."""
    context = browser.get(url).context
    data = {}
    for form in [
        context["adminform"].form,
        *[form for inline in context["inline_admin_formsets"] for form in inline.formset.forms],
    ]:
        for name in form.fields:
            bound = form[name]
            value = bound.value()
            if hasattr(bound.field.widget, "decompress"):
                for number, part in enumerate(bound.field.widget.decompress(value)):
                    data[f"{bound.html_name}_{number}"] = part or ""
            elif value is not False:  # a box that is not ticked is not sent
                data[bound.html_name] = "" if value is None else getattr(value, "pk", value)
    for inline in context["inline_admin_formsets"]:
        management = inline.formset.management_form
        data |= {management[name].html_name: management[name].value() for name in management.fields}
    return data


def save(browser, url, **changes):
    """Send a page's form with changes; return the errors, if any."""
    answer = browser.post(url, form_of(browser, url) | changes)
    if answer.status_code == 302:
        return {}
    errors = dict(answer.context["adminform"].form.errors)
    for inline in answer.context["inline_admin_formsets"]:
        for form in inline.formset.forms:
            errors |= form.errors
    return errors
