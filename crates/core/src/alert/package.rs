//! The package that a command line or a path names. It knows no event.

use memchr::memmem::{Finder, find_iter};
use std::sync::LazyLock;

/// Longest name of a file, on every system.
const LONGEST_NAME: usize = 255;
/// The folder between these two has a name of its own.
const LONGEST_SANDBOX: usize = 64;

const SCRIPTS: [&str; 5] = [".preinst", ".postinst", ".prerm", ".postrm", ".config"];
const FILES: [&str; 8] = ["msi", "msix", "appx", "deb", "rpm", "pkg", "tgz", "whl"];

static INFO: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("/var/lib/dpkg/info/"));
static SANDBOX: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("PKInstallSandbox."));
static TEMPORARY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("/var/tmp/rpm-tmp."));

/// What names a package in a text, most telling first: the path of a maintainer script, Installer's sandbox, the file of a package,
/// RPM's copy of a script, the folder of Windows Installer's own.
pub(super) fn package(text: &str) -> Option<&str> {
    maintainer_script(text)
        .or_else(|| sandbox(text))
        .or_else(|| package_file(text))
        .or_else(|| temporary_script(text))
        .or_else(|| windows_installer(text))
}

/// `/var/lib/dpkg/info/NAME.postinst`.
fn maintainer_script(text: &str) -> Option<&str> {
    INFO.find_iter(text.as_bytes()).find_map(|at| {
        let name = until(&text[at + "/var/lib/dpkg/info/".len()..], |letter| letter == '/');
        let ends = SCRIPTS.iter().filter_map(|end| find_iter(name.as_bytes(), end).find(|at| *at > 0));
        ends.min().map(|end| &name[..end])
    })
}

/// `PKInstallSandbox.XXXXXX/Scripts/NAME/`.
fn sandbox(text: &str) -> Option<&str> {
    SANDBOX.find_iter(text.as_bytes()).find_map(|at| {
        let rest = &text[at + "PKInstallSandbox.".len()..];
        let mut folder = rest.char_indices().take(LONGEST_SANDBOX + 1).take_while(|(_, letter)| *letter != '\n');
        let (end, _) = folder.find(|(_, letter)| *letter == '/').filter(|(end, _)| *end > 0)?;
        let rest = rest[end + 1..].strip_prefix("Scripts/")?;
        let name = until(rest, |letter| letter == '/');
        (!name.is_empty() && rest[name.len()..].starts_with('/')).then_some(name)
    })
}

/// The first file with the ending of a package.
fn package_file(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let end = memchr::memchr_iter(b'.', bytes).find_map(|dot| {
        let ends = FILES.iter().filter(|end| {
            bytes.get(dot + 1..=dot + end.len()).is_some_and(|found| found.eq_ignore_ascii_case(end.as_bytes()))
        });
        let mut ends = ends.map(|end| dot + 1 + end.len());
        ends.find(|end| {
            text[*end..].chars().next().is_none_or(|next| next.is_whitespace() || matches!(next, '"' | '\''))
        })
    })?;
    let mut start = end.saturating_sub(LONGEST_NAME);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let separates = |letter: char| letter.is_whitespace() || matches!(letter, '\\' | '/' | '"' | '\'');
    let name = text[start..end].rsplit(separates).next()?;
    (!name.starts_with('.')).then_some(name)
}

/// `/var/tmp/rpm-tmp.XXXXXX`.
fn temporary_script(text: &str) -> Option<&str> {
    TEMPORARY.find_iter(text.as_bytes()).find_map(|at| {
        let name = until(&text[at + "/var/tmp/".len()..], |letter| letter == '/');
        (name.len() > "rpm-tmp.".len()).then_some(name)
    })
}

/// `\Windows\Installer\MSIXXXX.tmp`.
fn windows_installer(text: &str) -> Option<&str> {
    const FOLDER: &str = "\\Windows\\Installer\\MSI";
    memchr::memchr_iter(b'\\', text.as_bytes()).find_map(|at| {
        let folder = text.as_bytes().get(at..at + FOLDER.len())?;
        if !folder.eq_ignore_ascii_case(FOLDER.as_bytes()) {
            return None;
        }
        let name = until(&text[at + FOLDER.len() - 3..], |letter| matches!(letter, '\\' | '"'));
        let end = memchr::memrchr_iter(b'.', name.as_bytes()).find(|dot| {
            *dot > 3 && name.as_bytes().get(*dot..dot + 4).is_some_and(|end| end.eq_ignore_ascii_case(b".tmp"))
        })?;
        Some(&name[..end + 4])
    })
}

/// The text up to a blank or another letter that ends it.
fn until(text: &str, ends: impl Fn(char) -> bool) -> &str {
    text.split(|letter: char| letter.is_whitespace() || ends(letter)).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_installers_name_on_each_system() {
        for (text, name) in [
            ("/bin/sh /var/lib/dpkg/info/nginx-common.postinst configure", "nginx-common"),
            ("/var/lib/dpkg/info/libc6:amd64.preinst", "libc6:amd64"),
            ("/tmp/PKInstallSandbox.kJ2/Scripts/com.vendor.pkg.x1/postinstall", "com.vendor.pkg.x1"),
            ("msiexec /i \"C:\\My Files\\Tool 1.MSI\" /qn", "1.MSI"),
            ("C:\\Users\\a\\tool.msi", "tool.msi"),
            ("dpkg -i ./a.deb", "a.deb"),
            ("/bin/sh /var/tmp/rpm-tmp.a8Xk 1", "rpm-tmp.a8Xk"),
            ("C:\\WINDOWS\\installer\\msi4F2A.tmp -x", "msi4F2A.tmp"),
            ("a.msi.txt b.rpm", "b.rpm"),
        ] {
            assert_eq!(package(text), Some(name), "{text}");
        }
        for text in [
            "",
            "/var/lib/dpkg/info/.postinst",
            ".msi",
            "x.msiz",
            "PKInstallSandbox./Scripts/a/",
            "\\Windows\\Installer\\MSI.tmp",
        ] {
            assert_eq!(package(text), None, "{text}");
        }
    }

    #[test]
    fn long_values_take_no_longer_than_their_length() {
        let encoded = "A".repeat(3_000_000);
        assert_eq!(package(&encoded), None);
        assert_eq!(package(&"PKInstallSandbox.".repeat(100_000)), None);
        assert_eq!(package(&format!("{encoded}.msi")).map(str::len), Some(LONGEST_NAME));
        assert_eq!(package(&"\\Windows\\Installer\\MSI".repeat(100_000)), None);
        assert_eq!(package(&"é.msi ".repeat(3)), Some("é.msi"));
    }
}
