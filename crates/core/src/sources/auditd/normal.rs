//! What the records mean: for each system call and record type the action, its object, and how ECS categorises it. Words
//! and categories are those of Auditbeat's documents (Elastic's `aucoalesce`, whose output is the test); this is a table,
//! and knows no record.

/// What happened, to what, by whom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Normal {
    /// `event.action`.
    pub action: &'static str,
    /// The kind of object (`auditd.summary.object.type`).
    pub what: &'static str,
    /// Which PATH record names the file, where not the first.
    pub path: usize,
    /// Keys that name the acting user, the user acted as, the object, its second name, and the means.
    pub keys: Keys,
    /// Whether `addr` is where the user came from.
    pub remote: bool,
    /// `event.category`; empty: Auditbeat's own name of the record's category.
    pub category: &'static [&'static str],
    /// `event.type`.
    pub types: &'static [&'static str],
    /// Which of these become users of ECS.
    pub entities: &'static [(From, To)],
}

/// The keys to look for, the first that a record has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys {
    pub actor: &'static [&'static str],
    pub actor_as: &'static [&'static str],
    pub object: &'static [&'static str],
    pub object_second: &'static [&'static str],
    pub how: &'static [&'static str],
}

/// Where an ECS entity comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum From {
    Actor,
    ActorAs,
    Object,
    UserId,
}

/// An ECS entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    User,
    Effective,
    Target,
    Group,
}

const NO_KEYS: Keys = Keys { actor: &[], actor_as: &[], object: &[], object_second: &[], how: &[] };

const NONE: Normal =
    Normal { action: "", what: "", path: 0, keys: NO_KEYS, remote: false, category: &[], types: &[], entities: &[] };

/// Records of PAM and of programs that manage sessions and accounts.
const SESSION: Normal = Normal {
    what: "user-session",
    keys: Keys {
        actor: &["auid"],
        actor_as: &["acct", "id", "uid"],
        object: &["terminal"],
        object_second: &["addr", "hostname"],
        how: &["exe", "terminal"],
    },
    ..NONE
};

const LOGIN_ENTITIES: &[(From, To)] = &[(From::Actor, To::User), (From::ActorAs, To::Effective)];

const fn file(action: &'static str, types: &'static [&'static str]) -> Normal {
    Normal { action, what: "file", category: &["file"], types, ..NONE }
}

const fn process(action: &'static str, what: &'static str, types: &'static [&'static str]) -> Normal {
    Normal { action, what, category: &["process"], types, ..NONE }
}

const fn socket(action: &'static str, types: &'static [&'static str]) -> Normal {
    Normal { action, what: "socket", category: &["network"], types, ..NONE }
}

const fn session(action: &'static str, types: &'static [&'static str]) -> Normal {
    Normal { action, category: &["authentication"], types, entities: LOGIN_ENTITIES, ..SESSION }
}

const fn in_session(action: &'static str, types: &'static [&'static str]) -> Normal {
    Normal { category: &["session"], ..session(action, types) }
}

const fn host(action: &'static str, what: &'static str, types: &'static [&'static str]) -> Normal {
    Normal { action, what, category: &["host"], types, ..NONE }
}

const fn account(action: &'static str, types: &'static [&'static str], target: To) -> Normal {
    let entities: &[(From, To)] = match target {
        To::Group => &[(From::Actor, To::User), (From::ActorAs, To::Effective), (From::Object, To::Group)],
        _ => &[(From::Actor, To::User), (From::ActorAs, To::Effective), (From::Object, To::Target)],
    };
    let keys = Keys { object: &["id", "acct"], ..NO_KEYS };
    Normal { action, what: "account", keys, category: &["iam"], types, entities, ..NONE }
}

const fn setting(action: &'static str, what: &'static str, types: &'static [&'static str]) -> Normal {
    Normal { action, what, category: &["configuration"], types, ..NONE }
}

const fn of(normal: Normal, object: &'static [&'static str], second: &'static [&'static str]) -> Normal {
    Normal { keys: Keys { object, object_second: second, ..normal.keys }, ..normal }
}

/// What a system call means; an unknown one is at least something that a process did.
pub(super) fn system_call(name: &str) -> Normal {
    match name {
        "execve" | "execveat" => Normal { what: "file", ..process("executed", "file", &["start"]) },
        "connect" => socket("connected-to", &["connection", "start"]),
        "open" | "openat" | "readlink" | "readlinkat" => file("opened-file", &["info"]),
        "creat" => file("opened-file", &["creation"]),
        "fallocate" | "truncate" | "ftruncate" => file("opened-file", &["change"]),
        "read" => file("read-file", &["info"]),
        "write" => file("wrote-to-file", &["change"]),
        "setxattr" | "fsetxattr" | "lsetxattr" | "removexattr" | "fremovexattr" | "lremovexattr" => {
            file("changed-file-attributes-of", &["change"])
        }
        "chmod" | "fchmod" | "fchmodat" => file("changed-file-permissions-of", &["change"]),
        "chown" | "fchown" | "fchownat" | "lchown" => file("changed-file-ownership-of", &["change"]),
        "finit_module" | "init_module" => driver("loaded-kernel-module", &["start"]),
        "delete_module" => driver("unloaded-kernel-module", &["end"]),
        "mkdir" | "mkdirat" => Normal { path: 1, ..file("created-directory", &["creation"]) },
        "mount" => Normal { path: 1, what: "filesystem", ..file("mounted", &["creation"]) },
        "umount" | "umount2" => Normal { what: "filesystem", ..file("unmounted", &["deletion"]) },
        "rename" | "renameat" | "renameat2" => Normal { path: 2, ..file("renamed", &["change"]) },
        "access" | "faccessat" | "fstatat" | "newfstatat" | "stat" | "stat64" | "fstat" | "lstat" | "getxattr"
        | "lgetxattr" | "fgetxattr" => file("checked-metadata-of", &["info"]),
        "statfs" | "fstatfs" => Normal { what: "filesystem", ..file("checked-filesystem-metadata-of", &["info"]) },
        "symlink" | "symlinkat" => file("symlinked", &["creation"]),
        "rmdir" | "unlink" | "unlinkat" => file("deleted", &["deletion"]),
        "utime" | "utimes" | "futimesat" | "futimens" | "utimensat" => file("changed-timestamp-of", &["info"]),
        "listen" => socket("listen-for-connections", &["start"]),
        "accept" | "accept4" => socket("accepted-connection-from", &["connection", "start"]),
        "bind" => socket("bound-socket", &["start"]),
        "recv" | "recvfrom" | "recvmsg" | "recvmmsg" => socket("received-from", &["connection", "info"]),
        "send" | "sendto" | "sendmsg" | "sendmmsg" => socket("sent-to", &["connection", "info"]),
        "kill" | "tkill" | "tgkill" => process("killed-pid", "process", &["end"]),
        "setuid" | "seteuid" | "setfsuid" | "setreuid" | "setgid" | "setegid" | "setfsgid" | "setregid"
        | "setresuid" | "setresgid" => by_system_call(process("changed-identity-of", "process", &["change"])),
        "sched_setparam" | "sched_setscheduler" | "sched_setattr" => {
            by_system_call(process("adjusted-scheduling-policy-of", "process", &["change"]))
        }
        "settimeofday" | "clock_settime" | "stime" | "adjtimex" => host("changed-system-time", "system", &["change"]),
        "sethostname" | "setdomainname" => host("changed-system-name", "system", &["change"]),
        "mknod" | "mknodat" => file("make-device", &["creation"]),
        "mmap" | "mmap2" | "brk" => process("allocated-memory", "memory", &["info"]),
        _ => process("", "", &["info"]),
    }
}

const fn driver(action: &'static str, types: &'static [&'static str]) -> Normal {
    Normal { action, what: "file", category: &["driver"], types, ..NONE }
}

const fn by_system_call(normal: Normal) -> Normal {
    Normal { keys: Keys { how: &["syscall"], ..normal.keys }, ..normal }
}

/// What a record type means, where it stands for itself. `has` tells whether the event has a key.
pub(super) fn record_type(name: &str, has: impl Fn(&str) -> bool) -> Option<Normal> {
    const CHANGED_BY: &[(From, To)] =
        &[(From::Actor, To::User), (From::UserId, To::Effective), (From::ActorAs, To::Target)];
    const GROUP_CHANGED_BY: &[(From, To)] =
        &[(From::Actor, To::User), (From::UserId, To::Effective), (From::ActorAs, To::Group)];
    Some(match name {
        "USER_AUTH" => session("authenticated", &["info"]),
        "USER_ACCT" => session("was-authorized", &["info"]),
        "USER_START" => Normal { remote: true, ..in_session("started-session", &["start"]) },
        "USER_END" => in_session("ended-session", &["end"]),
        "USER_ERR" => Normal { remote: true, ..session("error", &["info"]) },
        "USER_LOGIN" => Normal { remote: true, ..session("logged-in", &["start"]) },
        "USER_LOGOUT" => session("logged-out", &["end"]),
        "CRED_ACQ" => session("acquired-credentials", &["info"]),
        "CRED_DISP" => session("disposed-credentials", &["info"]),
        "CRED_REFR" => session("refreshed-credentials", &["info"]),
        "GRP_AUTH" => Normal {
            action: "authenticated-to-group",
            category: &["authentication"],
            types: &["info"],
            entities: LOGIN_ENTITIES,
            ..NONE
        },
        "LOGIN" => Normal {
            action: "changed-login-id-to",
            what: "user-session",
            keys: Keys {
                actor: &["old_auid", "old-auid"],
                actor_as: &["uid"],
                object: &["new-auid", "new_auid", "auid"],
                ..NO_KEYS
            },
            category: &["authentication"],
            types: &["start"],
            entities: &[(From::Actor, To::User), (From::Object, To::Effective)],
            ..NONE
        },
        "USER_ROLE_CHANGE" => Normal { action: "changed-role-to", ..of(SESSION, &["selected-context"], &[]) },
        "USER_CHAUTHTOK" => iam_session("changed-password", &["user", "change"], CHANGED_BY),
        "USER_MGMT" => iam_session("modified-user-account", &["user", "change"], CHANGED_BY),
        "GRP_CHAUTHTOK" => {
            of(iam_session("changed-group-password", &["group", "change"], GROUP_CHANGED_BY), &["acct"], &[])
        }
        "GRP_MGMT" => {
            Normal { entities: GROUP_CHANGED_BY, ..account("modified-group-account", &["group", "change"], To::Group) }
        }
        "ACCT_LOCK" => Normal { action: "locked-account", category: &["iam"], types: &["user", "info"], ..NONE },
        "ACCT_UNLOCK" => Normal { action: "unlocked-account", category: &["iam"], types: &["user", "info"], ..NONE },
        "ADD_USER" => account("added-user-account", &["user", "creation"], To::Target),
        "DEL_USER" => account("deleted-user-account", &["user", "deletion"], To::Target),
        "ADD_GROUP" => account("added-group-account-to", &["group", "creation"], To::Group),
        "DEL_GROUP" => account("deleted-group-account-from", &["group", "deletion"], To::Group),
        "ROLE_ASSIGN" => Normal { entities: &[], ..account("assigned-user-role-to", &["user", "change"], To::Target) },
        "ROLE_REMOVE" => Normal { entities: &[], ..account("removed-user-role-from", &["user", "change"], To::Target) },
        "ROLE_MODIFY" => Normal { action: "modified-role", category: &["iam"], types: &["change"], ..NONE },
        "VIRT_CONTROL" => of(host("issued-vm-control", "virtual-machine", &["info"]), &["op"], &["vm"]),
        "VIRT_RESOURCE" => of(host("assigned-vm-resource", "virtual-machine", &["info"]), &["resrc"], &["vm"]),
        "VIRT_MACHINE_ID" => of(host("assigned-vm-id", "virtual-machine", &["info"]), &["vm"], &[]),
        "VIRT_CREATE" => host("created-vm-image", "", &["info"]),
        "VIRT_DESTROY" => host("deleted-vm-image", "", &["info"]),
        "VIRT_INTEGRITY_CHECK" => host("checked-integrity-of", "", &["info"]),
        "VIRT_MIGRATE_IN" => host("migrated-vm-from", "", &["info"]),
        "VIRT_MIGRATE_OUT" => host("migrated-vm-to", "", &["info"]),
        "CHGRP_ID" => process("changed-group", "", &["change"]),
        "CHUSER_ID" => process("changed-user-id", "", &["change"]),
        "TEST" => process("sent-test", "", &["info"]),
        "TRUSTED_APP" => process("unknown", "", &["info"]),
        "USER_CMD" => of(process("ran-command", "process", &["start"]), &["cmd"], &[]),
        "SYSTEM_BOOT" => host("booted-system", "system", &["start"]),
        "SYSTEM_SHUTDOWN" => host("shutdown-system", "system", &["end"]),
        "SYSTEM_RUNLEVEL" => of(host("changed-to-runlevel", "system", &["change"]), &["new-level"], &[]),
        "SERVICE_START" => of(process("started-service", "service", &["start"]), &["unit"], &[]),
        "SERVICE_STOP" => of(process("stopped-service", "service", &["stop"]), &["unit"], &[]),
        "CONFIG_CHANGE" => {
            const SETTINGS: &[&str] =
                &["op", "key", "audit_enabled", "audit_pid", "audit_backlog_limit", "audit_failure"];
            Normal {
                category: &["process", "configuration"],
                ..of(setting("changed-audit-configuration", "audit-config", &["change"]), SETTINGS, &[])
            }
        }
        "DAEMON_ABORT" => process("aborted-auditd-startup", "service", &["stop"]),
        "DAEMON_ACCEPT" => Normal { what: "service", ..socket("remote-audit-connected", &["connection", "start"]) },
        "DAEMON_CLOSE" => Normal { what: "service", ..socket("remote-audit-disconnected", &["connection", "start"]) },
        "DAEMON_CONFIG" => Normal {
            category: &["process", "configuration"],
            ..setting("changed-auditd-configuration", "service", &["change"])
        },
        "DAEMON_RECONFIG" => {
            Normal { category: &["process", "configuration"], ..setting("reconfigured-auditd", "service", &["info"]) }
        }
        "DAEMON_END" => process("shutdown-audit", "service", &["stop"]),
        "DAEMON_ERR" => process("audit-error", "service", &["info"]),
        "DAEMON_RESUME" => process("resumed-audit-logging", "service", &["change"]),
        "DAEMON_ROTATE" => process("rotated-audit-logs", "service", &["change"]),
        "DAEMON_START" => process("started-audit", "service", &["start"]),
        "KERNEL" => process("initialized-audit-subsystem", "", &["info"]),
        "USYS_CONFIG" => of(setting("changed-configuration", "system", &["change"]), &["op"], &[]),
        "NETFILTER_CFG" => of(setting("loaded-firewall-rule-to", "firewall", &["change"]), &["table"], &[]),
        "FEATURE_CHANGE" => of(setting("changed-audit-feature", "system", &["change"]), &["feature"], &[]),
        "TTY" | "USER_TTY" => Normal {
            action: "typed",
            what: "keystrokes",
            keys: Keys { object: &["data"], how: &["comm", "exe"], ..NO_KEYS },
            ..NONE
        },
        "AVC" if has("apparmor") => Normal {
            action: "violated-apparmor-policy",
            what: "policy",
            ..of(NONE, &["operation"], &["requested_mask", "denied_mask", "capname"])
        },
        "AVC" if has("seresult") => Normal {
            action: "violated-selinux-policy",
            keys: Keys { actor: &["scontext"], object: &["tcontext"], object_second: &["tclass"], ..NO_KEYS },
            ..NONE
        },
        "FS_RELABEL" => Normal { action: "relabeled-filesystem", what: "mac-config", ..NONE },
        "LABEL_LEVEL_CHANGE" => Normal { action: "modified-level-of", what: "printer", ..of(NONE, &["printer"], &[]) },
        "LABEL_OVERRIDE" => Normal { action: "overrode-label-of", what: "mac-config", ..NONE },
        "MAC_CHECK" => Normal { action: "mac-permission", ..NONE },
        "MAC_CONFIG_CHANGE" => of(setting("changed-selinux-boolean", "mac-config", &["change"]), &["bool"], &[]),
        "MAC_POLICY_LOAD" => setting("loaded-selinux-policy", "mac-config", &["access"]),
        "MAC_STATUS" => of(setting("changed-selinux-enforcement", "mac-config", &["change"]), &["enforcing"], &[]),
        "USER_AVC" => Normal { action: "access-permission", ..NONE },
        "USER_MAC_CONFIG_CHANGE" => setting("changed-mac-configuration", "mac-config", &["change"]),
        "USER_MAC_POLICY_LOAD" => setting("loaded-mac-policy", "mac-config", &["access"]),
        "USER_SELINUX_ERR" => Normal { action: "access-error", ..NONE },
        "SECCOMP" => Normal { action: "violated-seccomp-policy", what: "process", ..of(NONE, &["syscall"], &[]) },
        "SELINUX_ERR" => Normal { action: "caused-mac-policy-error", what: "system", ..NONE },
        "CRYPTO_KEY_USER" => crypto("negotiated-crypto-key", &["fp"], &["addr", "hostname"]),
        "CRYPTO_SESSION" => crypto("started-crypto-session", &["addr"], &["rport"]),
        "CRYPTO_LOGIN" => Normal { action: "crypto-officer-logged-in", ..NONE },
        "CRYPTO_LOGOUT" => process("crypto-officer-logged-out", "", &["info"]),
        "DAC_CHECK" => Normal { action: "access-result", ..NONE },
        "KERN_MODULE" => of(driver("loaded-kernel-module", &["start"]), &["name"], &[]),
        "ANOM_ABEND" => Normal {
            keys: Keys { object: &["comm", "exe"], object_second: &["pid"], how: &["sig"], ..NO_KEYS },
            ..process("crashed-program", "process", &["end"])
        },
        "ANOM_EXEC" => Normal {
            keys: Keys { object: &["cmd"], how: &["terminal"], ..NO_KEYS },
            ..process("attempted-execution-of-forbidden-program", "process", &["start"])
        },
        "ANOM_LINK" => Normal { action: "used-suspicious-link", ..NONE },
        "ANOM_LOGIN_FAILURES" => Normal { action: "failed-log-in-too-many-times-to", ..SESSION },
        "ANOM_LOGIN_LOCATION" => Normal { action: "attempted-log-in-from-unusual-place-to", ..SESSION },
        "ANOM_LOGIN_SESSIONS" => Normal { action: "opened-too-many-sessions-to", ..SESSION },
        "ANOM_LOGIN_TIME" => Normal { action: "attempted-log-in-during-unusual-hour-to", ..SESSION },
        "ANOM_PROMISCUOUS" => Normal {
            category: &["intrusion_detection"],
            types: &["info", "change"],
            action: "changed-promiscuous-mode-on-device",
            what: "network-device",
            ..of(NONE, &["dev"], &[])
        },
        "ANOM_RBAC_INTEGRITY_FAIL" => {
            Normal { action: "tested-file-system-integrity-of", what: "filesystem", ..of(NONE, &["hostname"], &[]) }
        }
        "USER" => Normal { action: "sent-message", ..of(NONE, &["addr"], &[]) },
        _ => return None,
    })
}

const fn iam_session(action: &'static str, types: &'static [&'static str], entities: &'static [(From, To)]) -> Normal {
    Normal { action, category: &["iam"], types, entities, ..SESSION }
}

const fn crypto(action: &'static str, object: &'static [&'static str], second: &'static [&'static str]) -> Normal {
    let normal = of(SESSION, object, second);
    Normal { action, remote: true, category: &["process"], types: &["info"], ..normal }
}

/// Auditbeat's own category of a record type, which stands in `event.category` where ECS has none.
pub(super) fn category(name: &str) -> &'static str {
    match name {
        "USER_AUTH" | "USER_ACCT" | "USER_MGMT" | "CRED_ACQ" | "CRED_DISP" | "USER_START" | "USER_END"
        | "USER_CHAUTHTOK" | "USER_ERR" | "CRED_REFR" | "USER_LOGIN" | "USER_LOGOUT" | "GRP_AUTH" => "user-login",
        "ADD_USER" | "DEL_USER" | "ADD_GROUP" | "DEL_GROUP" | "GRP_MGMT" | "GRP_CHAUTHTOK" | "ACCT_LOCK"
        | "ACCT_UNLOCK" => "user-account",
        "KERNEL" | "SYSTEM_BOOT" | "SYSTEM_SHUTDOWN" | "SYSTEM_RUNLEVEL" | "SERVICE_START" | "SERVICE_STOP" => {
            "system-services"
        }
        "USYS_CONFIG" | "CONFIG_CHANGE" | "NETFILTER_CFG" | "FEATURE_CHANGE" | "REPLACE" => "configuration",
        "SECCOMP" => "dac-decision",
        "CHGRP_ID" | "TEST" | "TRUSTED_APP" | "USER_CMD" | "CHUSER_ID" => "user-space",
        "USER_TTY" | "TTY" => "TTY",
        "USER_SELINUX_ERR" | "USER_AVC" | "AVC" | "SELINUX_ERR" | "AVC_PATH" | "APPARMOR_ALLOWED"
        | "APPARMOR_DENIED" | "APPARMOR_ERROR" => "mac-decision",
        "ANOM_RBAC_INTEGRITY_FAIL" => "integrity",
        "SYSCALL" | "PATH" | "IPC" | "SOCKETCALL" | "SOCKADDR" | "CWD" | "EXECVE" | "FD_PAIR" | "OBJ_PID"
        | "BPRM_FCAPS" | "CAPSET" | "MMAP" | "NETFILTER_PKT" => "audit-rule",
        _ => category_by_prefix(name),
    }
}

fn category_by_prefix(name: &str) -> &'static str {
    const PREFIXES: &[(&str, &str)] = &[
        ("DAEMON_", "audit-daemon"),
        ("INTEGRITY_", "integrity"),
        ("ANOM_", "anomaly"),
        ("RESP_", "anomaly-response"),
        ("MAC_", "mac"),
        ("APPARMOR", "mac"),
        ("USER_ROLE_CHANGE", "mac"),
        ("ROLE_", "mac"),
        ("LABEL_", "mac"),
        ("FS_RELABEL", "mac"),
        ("USER_MAC_", "mac"),
        ("CRYPTO_", "crypto"),
        ("VIRT_", "virt"),
    ];
    PREFIXES.iter().find(|(prefix, _)| name.starts_with(prefix)).map_or("unknown", |(_, category)| category)
}
