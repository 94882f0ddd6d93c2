//! Which programs install packages, by their names. It knows neither events nor processes.

/// Installers that run for one transaction: what they start belongs to it.
const INSTALLERS: [&str; 29] = [
    "apk",
    "apt",
    "apt-get",
    "aptitude",
    "brew",
    "choco",
    "dnf",
    "dnf-3",
    "dnf5",
    "dnf-automatic",
    "dpkg",
    "flatpak",
    "gdebi",
    "gem",
    "installer",
    "microdnf",
    "msiexec",
    "npm",
    "pacman",
    "pip",
    "pip3",
    "pkcon",
    "rpm",
    "snap",
    "tdnf",
    "unattended-upgrade",
    "winget",
    "yum",
    "zypper",
];

/// Engines that live on and serve one installation after the other.
const ENGINES: [&str; 6] =
    ["installd", "package_script_service", "packagekitd", "snapd", "system_installd", "windowspackagemanagerserver"];

/// Windows Installer, whose service is an engine.
const MSIEXEC: &str = "msiexec";

/// Programs that run others which are named by their first argument.
const INTERPRETERS: [&str; 4] = ["python", "ruby", "node", "perl"];

/// The last part of a path, without the ending of a program of Windows.
fn base(path: &str) -> &str {
    let start = memchr::memrchr2(b'/', b'\\', path.as_bytes()).map_or(0, |separator| separator + 1);
    let name = &path[start..];
    match name.len().checked_sub(4).and_then(|end| name.split_at_checked(end)) {
        Some((stem, ending)) if ending.eq_ignore_ascii_case(".exe") => stem,
        _ => name,
    }
}

fn among(list: &[&str], name: &str) -> bool {
    let lengths = name.as_bytes().first().map_or(0, |first| LENGTHS[usize::from(*first)]);
    let may_be = name.len() < 64 && lengths >> name.len() & 1 == 1;
    may_be && list.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// For each first letter, the lengths of all names here that begin with it: most programs are told apart by these already.
const LENGTHS: [u64; 256] = {
    let mut all = [0; 256];
    let lists: [&[&str]; 4] = [&INSTALLERS, &ENGINES, &INTERPRETERS, &[MSIEXEC]];
    let mut list = 0;
    while list < lists.len() {
        let mut name = 0;
        while name < lists[list].len() {
            let text = lists[list][name].as_bytes();
            all[text[0].to_ascii_lowercase() as usize] |= 1 << text.len();
            all[text[0].to_ascii_uppercase() as usize] |= 1 << text.len();
            name += 1;
        }
        list += 1;
    }
    all
};

/// Whether a program, by its name or path, installs packages in one transaction.
pub(crate) fn installs(path: &str) -> bool {
    among(&INSTALLERS, base(path))
}

/// What a process has to do with installations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Role {
    #[default]
    Other,
    /// It is one installation's.
    Installer,
    /// It lives on from one installation to the next.
    Engine,
}

impl Role {
    /// The role of a process, by what was recorded of it.
    pub fn of<'a>(name: Option<&str>, executable: Option<&str>, args: impl Iterator<Item = &'a str> + Clone) -> Self {
        let script = args.clone().nth(1).filter(|_| executable.or(name).is_some_and(interprets));
        let names = [name, executable, script].map(|name| name.map(base));
        let mut names = names.into_iter().flatten();
        if names.clone().any(|name| among(&ENGINES, name)) {
            return Role::Engine;
        }
        if !names.any(|name| among(&INSTALLERS, name)) {
            return Role::Other;
        }
        // The service of Windows Installer.
        if args.clone().any(|argument| argument.eq_ignore_ascii_case("/v"))
            && executable.or(name).is_some_and(is_msiexec)
        {
            return Role::Engine;
        }
        Role::Installer
    }
}

fn is_msiexec(path: &str) -> bool {
    among(&[MSIEXEC], base(path))
}

/// Whether a program runs scripts that are named by its first argument.
fn interprets(path: &str) -> bool {
    let name = base(path);
    INTERPRETERS.iter().any(|known| name.get(..known.len()).is_some_and(|start| start.eq_ignore_ascii_case(known)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_known_by_name_and_path_on_each_system() {
        for path in ["/usr/bin/apt-get", "C:\\Windows\\System32\\MSIEXEC.EXE", "dpkg", "/usr/sbin/installer"] {
            assert!(installs(path), "{path}");
        }
        for path in ["/usr/bin/dpkg-split", "C:\\a\\installer.msi", "", "sh", "éxe"] {
            assert!(!installs(path), "{path}");
        }
    }

    #[test]
    fn the_role_of_a_process() {
        let role = |path: &str, args: &[&str]| Role::of(None, Some(path), args.iter().copied());
        assert_eq!(role("/usr/libexec/packagekitd", &[]), Role::Engine);
        assert_eq!(role("C:\\Windows\\System32\\msiexec.exe", &["msiexec.exe", "/V"]), Role::Engine);
        assert_eq!(role("C:\\Windows\\System32\\msiexec.exe", &["msiexec.exe", "/i", "a.msi"]), Role::Installer);
        assert_eq!(role("/usr/bin/python3.11", &["python3.11", "/usr/bin/dnf", "install"]), Role::Installer);
        assert_eq!(role("/bin/sh", &["sh", "apt"]), Role::Other);
    }
}
