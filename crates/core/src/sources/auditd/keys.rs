//! The keys of audit records that decide something, by number: most pairs of a log have one of them, and are found without
//! comparing texts. It knows no values.

use crate::json::Ends;

macro_rules! keys {
    ($($variant:ident $text:literal)*) => {
        /// A key that decides something, or another.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[repr(u8)]
        pub(super) enum Key {
            /// One that only stands for itself.
            #[default]
            Other,
            $($variant,)*
        }

        /// The text of each key, by number.
        const TEXTS: &[&str] = &["", $($text,)*];
        pub(super) const KEYS: &[Key] = &[Key::Other, $(Key::$variant,)*];
    };
}

keys! {
    A0 "a0" A1 "a1" A2 "a2" A3 "a3"
    Account "acct" Address "addr" Apparmor "apparmor" Architecture "arch" Audit "auid" AuditBackLog "audit_backlog_limit"
    Capability "capname" CapFe "cap_fe" CapFi "cap_fi" CapFp "cap_fp" CapFrootid "cap_frootid" CapFver "cap_fver"
    Command "cmd" CommandName "comm" Cwd "cwd" Data "data" Device "dev" EffectiveGroup "egid" EffectiveUser "euid"
    Executable "exe" Exit "exit" FileGroup "fsgid" FileUser "fsuid" Group "gid" HostName "hostname" Id "id" Inode "inode"
    Item "item" Items "items" RuleKeys "key" Message "msg" Mode "mode" Name "name" NameType "nametype"
    NewAudit "new-auid" NewAuditOld "new_auid" NewLevel "new-level"
    ObjectUser "obj_user" ObjectRole "obj_role" ObjectDomain "obj_domain" ObjectLevel "obj_level" ObjectCategory "obj_category"
    Object "obj" OldAudit "old-auid" OldAuditOld "old_auid" OwnerGroup "ogid" OwnerUser "ouid" Operation "op"
    Parent "ppid" Process "pid" RealDevice "rdev" Result "res" ReturnAddress "saddr" SavedGroup "sgid" SavedUser "suid"
    SeResult "seresult" SePermissions "seperms" Session "ses" Signal "sig" SourceContext "scontext"
    SocketAddress "socket_addr" SocketFamily "socket_family" SocketFlow "socket_flow" SocketPath "socket_path"
    SocketPort "socket_port" SocketBytes "socket_saddr"
    SubjectUser "subj_user" SubjectRole "subj_role" SubjectDomain "subj_domain" SubjectLevel "subj_level"
    SubjectCategory "subj_category" Subject "subj" Success "success" SystemCall "syscall" TargetContext "tcontext"
    Terminal "terminal" Title "proctitle" Tty "tty" Unit "unit" User "uid"
}

/// How many there are.
pub(super) const COUNT: usize = TEXTS.len();

const SIZE: usize = 1024;
const TABLE: [u8; SIZE] = table();

const ENDS: [Ends; COUNT] = {
    let mut ends = [Ends::of(b""); COUNT];
    let mut number = 1;
    while number < COUNT {
        ends[number] = Ends::of(TEXTS[number].as_bytes());
        number += 1;
    }
    ends
};

const fn table() -> [u8; SIZE] {
    let mut table = [0; SIZE];
    let mut number = 1;
    while number < COUNT {
        let mut at = ENDS[number].hash() % SIZE;
        while table[at] != 0 {
            at = (at + 1) % SIZE;
        }
        table[at] = number as u8;
        number += 1;
    }
    table
}

impl Key {
    /// The key that a text is.
    #[inline]
    pub fn of(text: &str) -> Self {
        let ends = Ends::of(text.as_bytes());
        let mut at = ends.hash() % SIZE;
        loop {
            let number = usize::from(TABLE[at]);
            if number == 0 {
                return Key::Other;
            }
            if ends == ENDS[number] && (text.len() <= Ends::WHOLE || TEXTS[number] == text) {
                return KEYS[number];
            }
            at = (at + 1) % SIZE;
        }
    }

    /// As records have it; empty for another.
    pub const fn text(self) -> &'static str {
        TEXTS[self as usize]
    }

    /// Whether its value is the number of a user.
    pub fn is_user(self, text: &str) -> bool {
        if self == Key::Other { text.ends_with("uid") } else { USERS[self as usize] }
    }

    /// Whether its value is the number of a user or group.
    pub fn is_id(self, text: &str) -> bool {
        if self == Key::Other { text.ends_with("uid") || text.ends_with("gid") } else { IDS[self as usize] }
    }
}

const USERS: [bool; COUNT] = ending(*b"uid", *b"uid");
const IDS: [bool; COUNT] = ending(*b"uid", *b"gid");

const fn ending(one: [u8; 3], other: [u8; 3]) -> [bool; COUNT] {
    let mut all = [false; COUNT];
    let mut number = 0;
    while number < COUNT {
        let text = TEXTS[number].as_bytes();
        if let Some((_, end)) = text.split_last_chunk::<3>() {
            let both = end[1] == b'i' && end[2] == b'd';
            all[number] = both && (end[0] == one[0] || end[0] == other[0]);
        }
        number += 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_and_no_other() {
        for (number, text) in TEXTS.iter().enumerate().skip(1) {
            assert_eq!(Key::of(text) as usize, number, "{text}");
            assert_eq!(Key::of(text).text(), *text);
        }
        for text in ["", "a", "a4", "exec", "uidd", "pid\0", "socket_adr", "socket_saddrs", "audit_backlog_limits", "é"]
        {
            assert_eq!(Key::of(text), Key::Other, "{text}");
        }
        let ids = |text: &str| (Key::of(text).is_user(text), Key::of(text).is_id(text));
        assert_eq!(
            [ids("uid"), ids("egid"), ids("pid"), ids("xuid")],
            [(true, true), (false, true), (false, false), (true, true)]
        );
    }
}
