//! RPM's databases, written by RPM itself.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use lineclear_sbom::Inventory;

use crate::archives::{Layer, image};

const ADVICE: &str = "the packages `rpm`, `db-util` and `python3` are needed: `cargo xtask components` installs them";

fn run(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("`{program}` does not start ({error}): {ADVICE}"));
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// A database of some packages, and what `rpm` says of them.
fn database(folder: &Path) -> (String, Vec<String>) {
    let at = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let define = |key: &str, value: &str| ["--define".to_owned(), format!("{key} {value}")];
    let mut built = Vec::new();
    for (name, epoch, many) in [("alpha", 0, 1), ("beta-tools", 2, 60), ("gamma", 0, 4000)] {
        // A long description makes a header that does not fit into one page of any database.
        let text = "words of a description that goes on and on\n".repeat(many);
        let epoch = if epoch > 0 { format!("Epoch: {epoch}\n") } else { String::new() };
        let spec = format!(
            "Name: {name}\n{epoch}Version: 1.2.3\nRelease: 4.el9\nSummary: s\nLicense: MIT AND Zlib\nBuildArch: noarch\n%description\n{text}\n%files\n"
        );
        fs::write(at(&format!("{name}.spec")), spec).expect("it is written");
        let mut args = vec!["-bb".to_owned(), at(&format!("{name}.spec"))];
        args.extend(define("_topdir", &at("build")));
        run("rpmbuild", &args.iter().map(String::as_str).collect::<Vec<_>>());
        built.push(at(&format!("build/RPMS/noarch/{name}-1.2.3-4.el9.noarch.rpm")));
    }
    let dbpath = at("db");
    let mut common = define("_db_backend", "sqlite").to_vec();
    common.extend(["--dbpath".to_owned(), dbpath.clone()]);
    let with = |args: &[&str]| -> Vec<String> {
        args.iter().map(|arg| (*arg).to_owned()).chain(common.iter().cloned()).collect()
    };
    let call = |args: Vec<String>| run("rpm", &args.iter().map(String::as_str).collect::<Vec<_>>());
    let mut install = with(&["--justdb", "--nodeps", "-i"]);
    install.extend(built);
    call(install);
    // SQLite's log is written into the database when the last reader goes.
    let said = call(with(&["-qa", "--qf", "%{NAME} %{EPOCHNUM}:%{VERSION}-%{RELEASE} %{ARCH} %{LICENSE}\n"]));
    let mut said: Vec<String> = said.lines().map(|line| line.replace(" 0:", " ")).collect();
    said.sort();
    (dbpath, said)
}

fn told(inventory: &Inventory) -> Vec<String> {
    let each = inventory.packages.iter().map(|package| {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        format!("{} {} {} {}", package.name, package.version, text(&package.architecture), text(&package.licence))
    });
    each.collect()
}

fn image_with(place: &str, file: &Path) -> Inventory {
    let bytes = fs::read(file).expect("the database is there");
    image(vec![Layer::new().file(place, bytes).file("etc/os-release", "ID=rocky\nVERSION_ID=\"9.3\"\n").tar()])
}

#[test]
fn the_database_in_sqlite_is_read_as_rpm_reads_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (database, expected) = database(folder.path());
    // The copy has what the log has, too.
    let copy = folder.path().join("copy.sqlite");
    let script =
        "import sqlite3,sys; a=sqlite3.connect(sys.argv[1]); b=sqlite3.connect(sys.argv[2]); a.backup(b); b.close()";
    run("python3", &["-c", script, &format!("{database}/rpmdb.sqlite"), &copy.to_string_lossy()]);
    let inventory = image_with("usr/lib/sysimage/rpm/rpmdb.sqlite", &copy);
    assert!(inventory.is_whole(), "{:?}", inventory.unread);
    assert_eq!(told(&inventory), expected);
    assert_eq!(
        inventory.packages[1].purl.to_string(),
        "pkg:rpm/rocky/beta-tools@1.2.3-4.el9?arch=noarch&distro=rocky-9.3&epoch=2"
    );
    assert_eq!(inventory.packages[1].source.as_ref().map(|source| source.version.as_str()), Some("2:1.2.3-4.el9"));
}

/// Debian's RPM does not write this form: the test does, of the headers that RPM wrote in another.
#[test]
fn rpms_own_database_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let (database, expected) = database(folder.path());
    let script = "
import sqlite3, struct, sys
blobs = [row[0] for row in sqlite3.connect(sys.argv[1]).execute('select blob from Packages')]
slots, data = b'RpmP' + struct.pack('<7I', 0, 1, 1, len(blobs) + 1, 0, 0, 0), b''
for number, blob in enumerate(blobs, 1):
    whole = b'BlbS' + struct.pack('<3I', number, 1, len(blob)) + blob
    whole += b'\\0' * (-len(whole) % 16)
    slots += b'Slot' + struct.pack('<3I', number, (4096 + len(data)) // 16, len(whole) // 16)
    data += whole
while len(slots) < 4096:
    slots += b'Slot' + struct.pack('<3I', 0, 0, 0)
open(sys.argv[2], 'wb').write(slots + data)
";
    let packages = folder.path().join("Packages.db");
    run("python3", &["-c", script, &format!("{database}/rpmdb.sqlite"), &packages.to_string_lossy()]);
    let inventory = image_with("usr/lib/sysimage/rpm/Packages.db", &packages);
    assert!(inventory.is_whole(), "{:?}", inventory.unread);
    assert_eq!(told(&inventory), expected);
}

/// RPM no longer writes this form: Berkeley DB's own program does, of the headers that RPM wrote in another.
#[test]
fn the_database_in_berkeley_db_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let (database, expected) = database(folder.path());
    let script = "
import sqlite3, sys
print('VERSION=3\\nformat=bytevalue\\ntype=hash\\nHEADER=END')
print(' 00000000\\n 04000000')
for number, blob in sqlite3.connect(sys.argv[1]).execute('select hnum, blob from Packages'):
    print(' ' + number.to_bytes(4, 'little').hex() + '\\n ' + blob.hex())
print('DATA=END')
";
    let dump = folder.path().join("dump");
    fs::write(&dump, run("python3", &["-c", script, &format!("{database}/rpmdb.sqlite")])).expect("it is written");
    let packages = folder.path().join("Packages");
    run("db_load", &["-f", &dump.to_string_lossy(), &packages.to_string_lossy()]);
    let inventory = image_with("var/lib/rpm/Packages", &packages);
    assert!(inventory.is_whole(), "{:?}", inventory.unread);
    assert_eq!(told(&inventory), expected);
}

#[test]
fn a_broken_database_is_said_and_does_no_harm() {
    let folder = tempfile::tempdir().expect("a folder");
    let (database, _) = database(folder.path());
    let whole = fs::read(Path::new(&database).join("rpmdb.sqlite")).expect("it is there");
    let place = "var/lib/rpm/rpmdb.sqlite";
    let read = |bytes: &[u8]| image(vec![Layer::new().file(place, bytes).tar()]);
    assert!(!read(&whole[..whole.len() / 2]).is_whole());
    assert!(!read(b"SQLite format 3\0").is_whole());
    assert!(
        !image(vec![Layer::new().file(place, &whole).file("var/lib/rpm/rpmdb.sqlite-wal", "changes").tar()]).is_whole()
    );
    // Every byte changed, one at a time: nothing panics, nothing runs away.
    for at in (0..whole.len()).step_by(whole.len() / 300 + 1) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        read(&bytes);
    }
}
