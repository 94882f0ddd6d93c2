"""The Sigma rules: what `sigma check` says of them, what comes back from the Elasticsearch backend, what other platforms get."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
import yaml

from contraband.detection.attack import AttackVersion
from contraband.detection.cases import cases_of
from contraband.detection.compiled import Compiled, compile_rules
from contraband.detection.exceptions import Item
from contraband.detection.packages import load_package, load_published
from contraband.detection.rules import Loaded, parse
from contraband.detection.scan import alerts, prepare
from contraband.eql.analysis import checked
from contraband.eql.analysis.checked import MatchKind
from contraband.eql.walk import nodes
from contraband.export import PLATFORMS, export_platform, export_sigma, prepared, unplaced
from contraband.export.sigma import regexes, sigma_rules

pytest.importorskip("sigma.backends.elasticsearch", reason="the extra `sigma` is not installed")

V19 = AttackVersion.V19
# Verdicts that Sigma changes, because it has no field for the arguments of a process one by one.
KNOWN_DIFFERENCES = {
    # A wildcard inside a path also spans several arguments: `--dbpath /tmp/x/rpmdb … y.rpm`.
    "linux-install-from-user-folder",
    # A path within the text of `-c` is no argument of its own.
    "macos-script-runs-untrusted",
    # Sigma's `Image` is the path of the program; auditd's `process.name` is what the process calls itself: `sh` of /usr/bin/dash.
    "linux-script-interpreter-connects",
    "linux-script-unusual-interpreter",
    # Options differ by case (-f of curl fails quietly, -F sends a form; -v is verbose, -V asks for the version), and that backend compares all
    # regular expressions and lists without regard to it.
    "linux-build-step",
    "linux-script-downloader",
    "macos-script-downloader",
    "published",
}


@pytest.fixture(scope="module")
def rules() -> tuple[Compiled, ...]:
    compiled, problems = prepared(load_package() + load_published())
    assert not problems
    return compiled


def _compiled(query: str, name: str = "test") -> Compiled:
    head = '[metadata]\ncreation_date = "2026/01/01"\n[rule]\nrule_id = "4f855297-c929-4b71-a9f1-1ab6c0a0a0a0"\ntype = "eql"\n'
    text = f"{head}name = \"{name}\"\nquery = '''{query}'''\n"
    loaded = parse(text.encode(), None)
    compiled, problems = compile_rules(loaded.rules)
    assert not problems, problems
    return compiled[0]


def _documents(query: str) -> tuple[dict, ...]:
    made = sigma_rules(_compiled(query), V19)
    assert made.documents, made.remarks
    return made.documents


def _refusal(query: str) -> str:
    made = sigma_rules(_compiled(query), V19)
    assert not made.documents
    assert all(remark.lost for remark in made.remarks)
    return made.remarks[0].message


def test_sigma_check_finds_nothing(rules: tuple[Compiled, ...], tmp_path: Path) -> None:
    files, _ = export_sigma(rules, V19)
    for file in files:
        path = tmp_path / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")
    settings = tmp_path / "validators.yml"
    # The two that are left out download ATT&CK and D3FEND; our tags are held against the mapping below.
    settings.write_text("validators:\n  - all\n  - -attacktag\n  - -d3_fendtag\n")
    command = [
        Path(sys.executable).with_name("sigma"),
        "check",
        "--fail-on-issues",
        "--validation-config",
        settings,
        tmp_path / "rules",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Found 0 errors, 0 condition errors and 0 issues." in done.stdout


def test_every_rule_is_written_or_said_to_be_left_out(rules: tuple[Compiled, ...]) -> None:
    files, remarks = export_sigma(rules, V19)
    lost = {remark.rule for remark in remarks if remark.lost}
    assert len(files) + len(lost) == len(rules)
    # The descendants of a process, events that are told by their provider and have no category, and what must not have been before.
    reasons = ("a join on process.Ext.ancestry", "its events are of any category", "a missing event")
    assert all(remark.message.startswith(reasons) for remark in remarks if remark.lost), remarks
    assert {"linux-descendant-downloads", "windows-descendant-cradle"} <= lost
    assert len(lost) <= len(rules) // 10
    ids = [document["id"] for file in files for document in yaml.safe_load_all(file.text)]
    assert len(set(ids)) == len(ids)
    assert {c.rule.id for c in rules if c.rule.slug == "published"} <= set(ids)


@pytest.mark.parametrize(
    ("version", "tactic"), [(AttackVersion.V18, "attack.defense-evasion"), (V19, "attack.stealth")]
)
def test_tags_follow_the_version(rules: tuple[Compiled, ...], version: AttackVersion, tactic: str) -> None:
    rule = next(entry for entry in rules if entry.rule.slug == "windows-installer-decodes")
    tags = sigma_rules(rule, version).documents[0]["tags"]
    assert {"attack.persistence", "attack.t1546.016", "attack.t1140", tactic} <= set(tags)


def test_converted_back_they_give_the_same_verdicts(rules: tuple[Compiled, ...]) -> None:
    files, remarks = export_platform(rules, "elastic-eql", V19)
    lost = {remark.rule for remark in remarks if remark.lost}
    assert len(files) + len(lost) == len(rules)
    joined = {
        entry.rule.slug
        for entry in rules
        if any("aliases" in d.get("correlation", {}) for d in sigma_rules(entry, V19).documents)
    }
    unwritten = {entry.rule.slug for entry in rules if not sigma_rules(entry, V19).documents}
    assert lost == joined | unwritten
    slugs = {entry.rule.slug: entry.rule for entry in rules}
    back = [
        replace(rule, id=f"{rule.id}#{number}", query=query, path=None)
        for file in files
        for rule in [slugs[file.path.removesuffix(".eql")]]
        for number, query in enumerate(_queries(file.text))
    ]
    returned = prepare(Loaded(rules=tuple(back)))
    assert not returned.problems, returned.problems[0]
    original = prepare(load_package() + load_published())
    cases = {tuple(map(str, case.telemetry)) for entry in rules for case in cases_of(entry.rule)}
    assert len(cases) > 100
    differences: dict[str, list[str]] = defaultdict(list)
    caught = 0
    for telemetry in sorted(cases):
        expected, found = _seen(original, telemetry), _seen(returned, telemetry)
        for rule in slugs.values():
            if rule.slug not in lost and (rule.id in expected) != (rule.id in found):
                differences[rule.slug].append(Path(telemetry[0]).name)
        caught += len(expected & found)
    assert set(differences) <= KNOWN_DIFFERENCES, {k: v for k, v in differences.items() if k not in KNOWN_DIFFERENCES}
    assert caught > 300


def _queries(text: str) -> list[str]:
    return [part.partition("\n")[2] for part in text.split("\n\n") if part.strip()]


def _seen(prepared_rules, telemetry: Iterable[str]) -> set[str]:
    return {alert["kibana.alert.rule.rule_id"].partition("#")[0] for alert in alerts(prepared_rules, telemetry)}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what a backend calls
# How many of the rules each platform takes today: fewer is a regression of ours or of a backend, and must be looked at.
@pytest.mark.parametrize(
    ("platform", "least"),
    [
        ("elastic-eql", 50),
        ("elastic-esql", 50),
        ("elastic-lucene", 40),
        ("opensearch", 40),
        ("splunk", 42),
        ("defender", 28),
        ("sentinel", 24),
        ("crowdstrike", 12),
        ("secops", 28),
        ("sumologic", 30),
        ("qradar", 30),
    ],
)
def test_platforms_get_queries_and_reasons(rules: tuple[Compiled, ...], platform: str, least: int) -> None:
    files, remarks = export_platform(rules, platform, V19)
    lost = {remark.rule for remark in remarks if remark.lost}
    assert len(files) >= least
    assert len(files) + len(lost) == len(rules)
    texts = {file.path.partition(".")[0]: file.text for file in files}
    assert "msiexec" in texts["published"]
    assert all(len(text) > 80 for text in texts.values())


def test_every_platform_is_tested() -> None:
    marks = test_platforms_get_queries_and_reasons.pytestmark
    assert {platform for platform, _ in marks[0].args[1]} == set(PLATFORMS)


def test_names_and_arguments() -> None:
    (document,) = _documents(
        'process where host.os.type == "linux" and process.name : ("curl", "wget*") and process.args : ("-o", "/tmp/*.sh", "install")'
    )
    assert document["logsource"] == {"category": "process_creation", "product": "linux"}
    detection = document["detection"]
    assert detection["selection_image"] == [{"Image|endswith": "/curl"}, {"Image|contains": "/wget"}]
    assert detection["selection_command_line"] == [
        {"CommandLine": ["* -o", "* -o *", "install", "install *", "* install", "* install *"]},
        {"CommandLine": ["*/tmp/*.sh", "*/tmp/*.sh *"]},
    ]
    assert detection["condition"] == "selection_image and selection_command_line"
    assert document["contraband"]["approximations"]


def test_backslashes_and_literal_wildcards() -> None:
    (document,) = _documents(
        r"""process where host.os.type == "windows" and process.executable : "?:\\Temp\\*" and
        process.working_directory : "\\\\server\\share" and user.name == "a*b?" """
    )
    selection = document["detection"]["selection"]
    assert selection["Image|startswith"] == "?:\\Temp\\"
    assert selection["CurrentDirectory"] == "\\\\\\server\\share"
    assert selection["User"] == "a\\*b\\?"


def test_expressions_keep_their_shape() -> None:
    (document,) = _documents(
        'process where host.os.type == "linux" and process.parent.name : "p" and '
        '(process.name : "a" or (process.name : "b" and not process.command_line : "*x*"))'
    )
    detection = dict(document["detection"])
    condition = detection.pop("condition")
    assert condition.count("not ") == 1
    assert set(detection) == set(condition.replace("(", " ").replace(")", " ").split()) - {"and", "or", "not"}


def test_categories_inside_an_or_become_rules_of_their_own() -> None:
    documents = _documents(
        'any where host.os.type == "windows" and process.name : "m.exe" and ((event.category == "registry" and registry.path : "*\\\\Run\\\\*") '
        'or (event.category == "file" and file.extension : "js")) and not registry.path : "*\\\\Ok\\\\*"'
    )
    assert [document["logsource"]["category"] for document in documents] == ["registry_set", "file_event"]
    assert "filter" in documents[0]["detection"]["condition"] or "not" in documents[0]["detection"]["condition"]
    assert "not" not in documents[1]["detection"]["condition"]
    assert documents[1]["detection"]["selection"]["TargetFilename|endswith"] == ".js"


def test_sequences_become_correlations() -> None:
    first, second, correlation = _documents(
        'sequence by host.id with maxspan=90s [process where host.os.type == "linux" and process.name : "a"] by process.entity_id '
        '[process where host.os.type == "linux" and process.name : "b"] by process.parent.entity_id'
    )
    assert correlation["correlation"] == {
        "type": "temporal_ordered",
        "rules": [first["name"], second["name"]],
        "aliases": {"join_1": {first["name"]: "ProcessGuid", second["name"]: "ParentProcessGuid"}},
        "group-by": ["Computer", "join_1"],
        "timespan": "90s",
    }
    assert first["level"] == "informational"


_EVENT = '[process where host.os.type == "linux" and process.name : "a"]'


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        (f"sequence by host.id with maxspan=1m {_EVENT} {_EVENT} until {_EVENT}", "until"),
        (f"sequence by host.id with maxspan=1m {_EVENT} !{_EVENT}", "missing event"),
        (f"sequence by host.id with maxspan=1m {_EVENT} with runs=3", "runs"),
        (f"sequence by host.id {_EVENT} {_EVENT}", "maxspan"),
        (f"sample by host.id {_EVENT} {_EVENT}", "sample"),
        ("process where process.pid + 1 == 4", "no form in Sigma"),
        ("process where length(process.name) > 30", "no form in Sigma"),
        ('dns where dns.question.name : "x"', "no log source"),
        ('any where process.name : "x"', "any category"),
        ('process where process.name regex "a<1-5>"', "only Lucene has"),
        ('process where event.type == "start"', "beyond the log source"),
    ],
)
def test_what_sigma_cannot_say_is_said(query: str, reason: str) -> None:
    assert reason in _refusal(query)


def test_exceptions_become_filters() -> None:
    entry = {"field": "process.executable", "type": "match", "operator": "included", "value": "/usr/bin/ok"}
    other = {"field": "process.command_line", "type": "exists", "operator": "excluded"}
    item = Item(id="vendor", name="Vendor", entries=(entry, other), expire_time="2099-01-01T00:00:00Z")
    compiled = replace(_compiled('process where host.os.type == "linux" and process.name : "a"'), exceptions=(item,))
    (document,) = sigma_rules(compiled, V19).documents
    assert document["detection"]["filter"] == {"Image": "/usr/bin/ok", "CommandLine": None}
    assert document["detection"]["condition"].endswith("not filter")
    assert any("expires" in text for text in document["contraband"]["approximations"])


def test_exceptions_have_the_type_and_the_system_of_their_field() -> None:
    entry = {"field": "process.code_signature.trusted", "type": "match", "operator": "included", "value": "true"}
    item = Item(id="vendor", name="Vendor", entries=(entry,), os_types=("windows",))
    compiled = _compiled('process where host.os.type in ("windows", "linux") and process.name : "a"')
    windows, linux = sigma_rules(replace(compiled, exceptions=(item,)), V19).documents
    assert windows["detection"]["filter"] == {"process.code_signature.trusted": True}
    assert "filter" not in linux["detection"]


@pytest.mark.parametrize(
    "pattern",
    [
        r""".*c:\\windows\\syswow64\\cmd(\.exe)?[\"]? *""",
        r""".* [\"']?[a-z]:\\?[\"']? .*""",
        r""".*[^\"/]+\"[a-z]+\.txt""",
        r""".*\\s\s\\d\d\&\#/[\\/]""",
        r"a|b\|c",
    ],
)
def test_regular_expressions_come_back_through_the_backend(pattern: str) -> None:
    query = f"""process where host.os.type == "windows" and process.command_line regex~ \"\"\"{pattern}\"\"\" """
    (file,), _ = export_platform([_compiled(query)], "elastic-eql", V19)
    (back,) = _queries(file.text)
    (found,) = (
        match.constants for match in nodes(_compiled(back).query, checked.Match) if match.kind is MatchKind.REGEX
    )
    assert found == (regexes.lucene(regexes.perl(pattern)).replace(regexes.QUOTE, '"'),)


def test_alternatives_of_one_log_source_stay_one_rule() -> None:
    (document,) = _documents(
        'any where host.os.type == "windows" and ((event.category == "file" and file.extension : "js") '
        'or (event.category == "file" and file.path : "?:\\\\x\\\\*"))'
    )
    assert document["detection"]["selection_file"] == [
        {"TargetFilename|endswith": ".js"},
        {"TargetFilename|startswith": "?:\\x\\"},
    ]


def test_a_rule_without_a_uuid_gets_one() -> None:
    compiled = _compiled('process where host.os.type == "linux" and process.name : "a"')
    made = sigma_rules(replace(compiled, rule=replace(compiled.rule, id="mine")), V19)
    assert str(UUID(made.documents[0]["id"])) == made.documents[0]["id"]


def test_the_elasticsearch_backend_is_repaired() -> None:
    query = (
        'process where host.os.type == "linux" and process.args_count == 4 and process.name : "a" and '
        'process.code_signature.exists == true and user.name == "a*b" and process.executable regex "/opt/[\\"x]+"'
    )
    (file,), _ = export_platform([_compiled(query)], "elastic-eql", V19)
    (back,) = _queries(file.text)
    for part in (
        "process.args_count == 4",
        "process.code_signature.exists == true",
        'user.name:"a?b"',
        '/opt/[\\"x]+"',
    ):
        assert part in back
    assert _compiled(back)


def test_unknown_places_in_v19_are_said() -> None:
    entry = {
        "framework": "MITRE ATT&CK",
        "technique": [{"id": "T9999", "name": "New", "reference": "r"}],
        "tactic": {"id": "TA0005", "name": "Defense Evasion", "reference": "r"},
    }
    compiled = _compiled('process where host.os.type == "linux" and process.name : "a"')
    rule = replace(compiled.rule, document={**compiled.rule.document, "threat": [entry]})
    (remark,) = unplaced([replace(compiled, rule=rule)], V19)
    assert "T9999" in remark.message
    assert sigma_rules(replace(compiled, rule=rule), V19).documents[0]["tags"] == ["attack.stealth", "attack.t9999"]


@pytest.mark.parametrize("platform", ["splunk", "elastic-esql"])
def test_sequences_without_an_order_are_said(platform: str) -> None:
    query = (
        'sequence by host.id, process.entity_id with maxspan=1m [process where host.os.type == "linux" and process.name : "a"] '
        '[network where host.os.type == "linux" and process.name : "a"]'
    )
    (file,), remarks = export_platform([_compiled(query)], platform, V19)
    assert "event_type_count >= 2" in file.text
    assert any("order of the events" in remark.message for remark in remarks)


def test_splunk_searches_are_bound_to_their_events() -> None:
    sources = {
        "windows": "WinEventLog:Microsoft-Windows-Sysmon/Operational",
        "linux": "Syslog:Linux-Sysmon/Operational",
    }
    for system, source in sources.items():
        compiled = _compiled(f'process where host.os.type == "{system}" and process.name : "a"')
        (file,), remarks = export_platform([compiled], "splunk", V19)
        assert f'source="{source}"' in file.text
        assert not any("no log source" in remark.message for remark in remarks)
    compiled = _compiled('process where host.os.type == "macos" and process.name : "a"')
    assert any("no log source for macos" in remark.message for remark in export_platform([compiled], "splunk", V19)[1])
