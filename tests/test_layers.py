"""Who may import whom, read from the source. A new module must be given its place in these lists."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Each module imports only from those before it. Inside an app: models and connectors, the work, tasks, what enqueues,
# forms and pages, addresses.
ORDER = """
    branding egress encrypted feeds health htmx input keyset listed logs meanwhile moments prepared returning operations
    tenancy
    audit: models trail sealing tasks admin
    api: grants tokens principals models errors bodies parsing problems paging limits idempotency lanes tasks policy
        description routes views urls
    accounts: models powers asking closing deciding trailed sessions looking inviting proving second_factor signing_in
        team forms views admin urls api api_urls
    integrations: connectors.base connectors.signatures connectors.orders connectors.http connectors.apart
        connectors.*.mapping
        connectors.*.ordering connectors.*.client connectors.*.connector connectors
        models.partners models.integrations models.platforms models.keys models.oauth models.revisions models
        sessions consent structure checks fields standing showing differing definitions exporting revising configuring
        switching adding changing registering restoring keying customizing configuration
        oauth.hashing oauth.scopes oauth.clients oauth.issuing oauth.redeeming oauth.introspecting oauth.validator
        oauth.server oauth.asking consenting tasks deeds field_rows custom_forms keys_admin custom_admin
        revisions_admin settings_forms settings_deeds integration_deeds oauth.admin admin
        oauth.forms oauth.views.authorize oauth.views.tokens oauth.views.metadata oauth.views.connected oauth.urls
        forms views urls
        api shapes custom_api keys_api api_urls org_api custom_urls
    shops: models principals adjusting deleting opening partnering api api_urls admin
    webhooks: models.events models.endpoints models.deliveries models.receipts models
        audiences wording schemas samples pios_words catalogue signing filtering asking addressing wires sending
        outcomes health fanning statements serving lines envelopes answers bell dispatching
        hooking trying replaying holding sentences noticing forgetting log inboxes receiving tasks deeds showing
        hooks_admin log_admin inbox_bodies inbox_forms inbox_admin admin
        forms views hook_views filter_views message_views hook_urls urls
        hook_bodies hooks_api log_bodies log_api inbox_api inbox_urls api_urls
    catalog: models.products models.locations models.stock models.publication models.mapping models.handovers models
        telling news mapping handing pairs owing buffering ledger judging unclaimed reporting stocking linking importing
        remembering relinking remapping promising previewing matching worklist locating registering arranging sentences
        explaining by_hand handover_admin mapping_admin worklist_admin stock_admin admin forms views urls
        product_bodies products_api listings_api locations_api mapping_api report_bodies inventory_api
        quick api_urls
    orders: ids models.orders models.fulfillments models.rules models telling ringing timeline nudging standing changing
        intake
        sentences shipping resolving ruling routing cancelling revising following packing fulfilling picking sorting
        waking tasks finding waiting releasing repeating history order_admin fulfillment_admin rules_admin
        shipping_admin admin forms views shipping_views port_forms port_views urls
        order_bodies orders_api quick fulfillment_bodies fulfillments_api rules_api shipping_api api_urls
    syncs: models telling keeping subscribing stocktaking reading pulling pushing counting parking taking_news
        taking_messages describing recording handing_over
        pulling_orders pulling_services reconciling telling_parcels opening catching_up comparing publishing running
        sentences
        attention offering tasks queueing schedule acting stock_deeds admin api drift_api api_urls
    onboarding: spreadsheets drafts sentences warehousing connecting telling status steps schedule
        templatetags.in_words forms
        views.permission views.wizard views.worklist views.mapping views.warehouses views.stores views.goods
        views.reserve views.holding views.differences urls
    desk: models.dismissals models.jobs models.views models finding searching filters viewing templatetags.saved_views
        views_admin bulk selecting exporting starting working
        templatetags.for_all_rows jobs_admin looking_admin causes cockpit days steering
        cockpit_forms cockpit_tabs cockpit_admin kinds.amounts kinds.of_orders kinds.of_systems
        kinds.of_messages kinds problems tasks fixing problem_filter problem_forms problems_admin
        concern concerns_of_work concerns_of_messages reckoning risk_filter admin charts home
"""

SLUGS = ["otter", "vendure", "pio"]
# A vendor's webhook format that we serve to whoever asks for it, whether or not its connector is there.
SERVED = {"pio": "apps.webhooks."}
# A shipping service is the field's own word for a thing; other services say nothing.
SERVICES = r"(?<!shipping)(?<!remote)(?<!lists)(?<!pulling_)services?"
SAYS_NOTHING = re.compile(rf"(common|misc|utils?|helpers?|{SERVICES}|managers?|handlers?|processors?)$", re.IGNORECASE)

type Sources = dict[str, str]  # the text of each module, by its dotted name


@cache
def order() -> list[str]:
    """The modules of ORDER by their full names; `*` stands for any one connector's folder."""
    found, room = [], "apps"
    for word in ORDER.split():
        if word.endswith(":"):
            room = f"apps.{word[:-1]}"
        else:
            found.append(f"{room}.{word}")
    return found


@cache
def sources() -> Sources:
    """Every module of the rooms that holds code, but not the sandbox and the migrations."""
    found = {}
    for path in sorted((ROOT / "apps").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        text = path.read_text()
        if not {"sandbox", "migrations"} & set(parts) and _without_docstrings(ast.parse(text)).body[:1]:
            found[".".join(parts).removesuffix(".__init__")] = text
    return found


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return tree


def place(module: str) -> int:
    """Where a module stands in the order. Raises ValueError when it has no place there."""
    return order().index(re.sub(r"(connectors)\.\w+\.", r"\1.*.", module))


def reach(module: str) -> int:
    """Where what a module may import ends. Django alone starts `apps` and commands: they may use all of their app."""
    if started := re.match(r"apps\.\w+\.(?=(apps|management)\b)", module):
        return max(n for n, name in enumerate(order()) if name.startswith(started[0])) + 1
    return place(module)


@cache
def statements(text: str) -> list[ast.Import | ast.ImportFrom]:
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]


def imports(module: str, *, among: Sources) -> set[str]:
    """The modules of ours that this one imports."""
    found = set()
    for node in statements(among[module]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        else:
            origin = _origin(node, module=module)
            named = {f"{origin}.{alias.name}" for alias in node.names}
            # A package without code of its own can only give its modules; any other origin gives what is in it, too.
            only_modules = _is_package(origin) and origin not in among
            found |= {name if only_modules or name in among else origin for name in named}
    return {name for name in found if name.split(".")[0] in {"apps", "config"}}


def _origin(node: ast.ImportFrom, *, module: str) -> str:
    """Where a `from … import` takes its names from; a dot is the package the module is in (or is)."""
    if not node.level:
        return node.module or ""
    up = node.level - 1 if _is_package(module) else node.level
    base = module.split(".")[: len(module.split(".")) - up]
    return ".".join([*base, *([node.module] if node.module else [])])


@cache
def _is_package(name: str) -> bool:
    return (ROOT / name.replace(".", "/")).is_dir()


def upward_imports(among: Sources) -> list[str]:
    """Every import of something that does not stand before the importer, as `importer -> imported`."""
    wrong = []
    for module in among:
        end = reach(module)
        for target in sorted(imports(module, among=among)):
            foreign = target.split(".")[0] == "config" or target.startswith("apps.sandbox")
            if foreign or place(target) >= end:
                wrong.append(f"{module} -> {target}")
    return wrong


def test_every_module_imports_only_from_those_before_it():
    assert upward_imports(sources()) == []


@pytest.mark.parametrize(
    ("module", "line", "found"),
    [
        ("apps.shops.models", "from apps.syncs.models import SyncRun", "apps.syncs.models"),
        ("apps.shops.models", "from apps.syncs import running", "apps.syncs.running"),
        ("apps.shops.models", "import apps.syncs.running", "apps.syncs.running"),
        ("apps.accounts.models", "from . import team", "apps.accounts.team"),
        ("apps.accounts.models", "from .views import accept", "apps.accounts.views"),
        ("apps.syncs.running", "from .tasks import work_on_run", "apps.syncs.tasks"),
        ("apps.egress", "from .accounts.models import User", "apps.accounts.models"),
        ("apps.egress", "from .logs import mask", "apps.logs"),
        ("apps.encrypted", "from config.environment import env", "config.environment"),
        ("apps.syncs.running", "from apps.sandbox import faults", "apps.sandbox.faults"),
        ("apps.onboarding.views.wizard", "from .stores import home", "apps.onboarding.views.stores"),
        ("apps.integrations.connectors.base", "from . import http", "apps.integrations.connectors.http"),
        (
            "apps.integrations.connectors.otter.mapping",
            "from .client import OtterClient",
            "apps.integrations.connectors.otter.client",
        ),
        (
            "apps.integrations.connectors.otter.client",
            "from ..vendure import client",
            "apps.integrations.connectors.vendure.client",
        ),
    ],
)
def test_an_import_of_something_later_is_found(module, line, found):
    changed = sources() | {module: f"{sources()[module]}\n{line}\n"}
    assert upward_imports(changed) == [f"{module} -> {found}"]


@pytest.mark.parametrize("module", ["apps.utils", "apps.shops.helpers", "apps.billing.models", "apps.shops.a.b"])
def test_a_module_without_a_place_is_refused(module):
    with pytest.raises(ValueError, match="is not in list"):
        upward_imports(sources() | {module: "DAYS = 7"})


def test_no_module_stands_more_than_twenty_imports_deep():
    """A room's models are one module to those who import them, also when they fill several files."""
    whole = {module: re.sub(r"(\.models)\.\w+$", r"\1", module) for module in sources()}

    @cache
    def targets(module: str) -> set[str]:
        files = [file for file, name in whole.items() if name == module]
        return {whole.get(target, target) for file in files for target in imports(file, among=sources())} - {module}

    @cache
    def depth(module: str) -> int:
        return max((1 + depth(target) for target in targets(module)), default=0)

    assert {module: depth(module) for module in whole.values() if depth(module) > 20} == {}


def late_imports(among: Sources) -> list[str]:
    """Imports inside functions. An AppConfig has to: Django calls it before the models can be imported."""
    found = []
    for module, text in among.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not module.endswith(".apps"):
                inner = [one for one in ast.walk(node) if isinstance(one, ast.Import | ast.ImportFrom)]
                found += [f"{module}:{node.name}" for _ in inner]
    return found


def test_imports_stand_at_the_top():
    assert late_imports(sources()) == []


def test_an_import_inside_a_function_is_found():
    late = "def share():\n    from apps.syncs import running\n    return running\n"
    assert late_imports({"apps.shops.sharing": late}) == ["apps.shops.sharing:share"]


def test_the_sandbox_shares_nothing_with_the_rooms():
    texts = {str(path): path.read_text() for path in (ROOT / "apps" / "sandbox").rglob("*.py")}
    outside = re.compile(r"^\s*(?:from|import) (?:apps|config)(?!\.sandbox)\b.*$", re.MULTILINE)
    assert {path: found for path, text in texts.items() if (found := outside.findall(text))} == {}


def named_slugs(among: Sources) -> list[str]:
    """Code (names and texts, but no comments and docstrings) that names a connector outside the connector's folder."""
    found = []
    for module, text in among.items():
        code = ast.unparse(_without_docstrings(ast.parse(text))).lower()
        named = [slug for slug in SLUGS if slug in code and f".connectors.{slug}" not in module]
        found += [f"{module}: {slug}" for slug in named if not module.startswith(SERVED.get(slug, " "))]
    return found


def test_no_code_names_a_connector_outside_its_folder():
    assert named_slugs(sources()) == []


@pytest.mark.parametrize("line", ["OTTER = 1", "kind = 'otter'", "def ask(is_otter): pass", "x = f'{y} at Otter'"])
def test_code_that_names_a_connector_is_found(line):
    changed = f"'''Prose may say Otter.'''\n# and so may this: otter\n{line}\n"
    assert named_slugs({"apps.syncs.running": changed}) == ["apps.syncs.running: otter"]


def test_no_page_names_a_connector():
    pages = [path for folder in ("templates", "static") for path in (ROOT / folder).rglob("*.*")]
    texts = {
        path: path.read_text()
        for path in pages
        if path.suffix in {".html", ".css", ".txt"} and "sandbox" not in path.parts
    }
    assert len(texts) > 20
    assert [str(path) for path, text in texts.items() if any(slug in text.lower() for slug in SLUGS)] == []


def test_the_settings_name_each_connector_in_one_line():
    lines = (ROOT / "config" / "settings.py").read_text().lower().splitlines()
    assert [sum(slug in line for line in lines) for slug in SLUGS] == [1, 1, 1]


def nothing_said(names: list[str]) -> list[str]:
    return [name for name in names if SAYS_NOTHING.search(name)]


def test_no_file_or_folder_has_a_name_that_says_nothing():
    files = [path for top in ("apps", "config", "tests") for path in (ROOT / top).rglob("*.py")]
    parts = {part for path in files for part in path.relative_to(ROOT).with_suffix("").parts}
    assert nothing_said(sorted(parts)) == []


def test_no_class_has_a_name_that_says_nothing():
    trees = [ast.parse(text) for text in sources().values()]
    classes = [node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    assert nothing_said(classes) == []


@pytest.mark.parametrize("name", ["utils", "common", "OrderManager", "StoreHandler", "order_services"])
def test_a_name_that_says_nothing_is_found(name):
    assert nothing_said([name]) == [name]
