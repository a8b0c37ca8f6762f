//! A volume's settings in words: for `encfsctl-rs info` and before a volume is created.
//!
//! The labels up to the colon are *protocol*: graphical front ends show or parse them.

use serde_json::{Value, json};

use crate::config::{Generation, Interface, NewVolume, VolumeConfig};

/// Interfaces as we serve them: name, current version, revision, age (format 3.1).
const SERVED: [(&str, [u32; 3]); 8] = [
    ("ssl/aes", [3, 0, 2]),
    ("ssl/blowfish", [3, 0, 2]),
    ("ssl/camellia", [3, 0, 2]),
    ("nullCipher", [1, 0, 0]),
    ("nameio/block", [4, 0, 2]),
    ("nameio/block32", [4, 0, 2]),
    ("nameio/stream", [2, 1, 2]),
    ("nameio/null", [1, 0, 0]),
];

/// The settings that are described the same way before and after a volume exists.
struct Settings<'a> {
    key_bits: u32,
    block_size: u32,
    header_bytes: u32,
    unique_iv: bool,
    chained_name_iv: bool,
    external_iv: bool,
    allow_holes: bool,
    plain_data: bool,
    salt: Option<(&'a [u8], u32)>,
}

/// What `info` prints for an existing volume.
#[must_use]
pub fn of_existing(config: &VolumeConfig) -> String {
    let revision = match config.generation {
        Generation::V4 => String::new(),
        Generation::V5 | Generation::V6 => format!(" (revision {})", config.sub_version),
    };
    let mut text = format!(
        "\nVersion {} configuration; created by {}{revision}\n",
        config.generation,
        crate::term::printable(config.creator.as_bytes())
    );
    for (label, interface) in [
        ("Filesystem cipher", &config.cipher),
        ("Filename encoding", &config.naming),
    ] {
        let using = match served(interface) {
            Some(same) if same == [interface.major, interface.minor, interface.age] => {
                String::new()
            }
            Some([major, revision, age]) => format!(" (using {major}:{revision}:{age})"),
            None => " (NOT supported)".to_owned(),
        };
        text.push_str(&format!("{label}: {interface}{using}\n"));
    }
    let salted = !config.salt.is_empty();
    text.push_str(&lines(&Settings {
        key_bits: config.key_bits,
        block_size: config.block_size,
        header_bytes: config.mac_bytes + config.rand_bytes,
        unique_iv: config.unique_iv,
        chained_name_iv: config.chained_name_iv,
        external_iv: config.external_iv,
        allow_holes: config.allow_holes,
        plain_data: config.plain_data,
        salt: salted.then_some((&config.salt, config.kdf_iterations)),
    }));
    text.push('\n');
    text
}

/// The same for a volume that is about to be created.
#[must_use]
pub fn of_new(settings: &NewVolume) -> String {
    let mut text = String::new();
    for (label, interface) in [
        ("Filesystem cipher", &settings.cipher),
        ("Filename encoding", &settings.naming),
    ] {
        let [major, revision, age] =
            served(interface).unwrap_or([interface.major, interface.minor, interface.age]);
        text.push_str(&format!(
            "{label}: {:?}, version {major}:{revision}:{age}\n",
            interface.name
        ));
    }
    text.push_str(&lines(&Settings {
        key_bits: settings.key_bits,
        block_size: settings.block_size,
        header_bytes: settings.mac_bytes + settings.rand_bytes,
        unique_iv: settings.unique_iv,
        chained_name_iv: settings.chained_name_iv,
        external_iv: settings.external_iv,
        allow_holes: settings.allow_holes,
        plain_data: settings.plain_data,
        salt: None,
    }));
    text
}

/// `info --json`.
#[must_use]
pub fn as_json(config: &VolumeConfig) -> Value {
    let interface = |interface: &Interface| {
        json!({
            "name": interface.name,
            "major": interface.major,
            "minor": interface.minor,
            "supported": served(interface).is_some(),
        })
    };
    let mut cipher = interface(&config.cipher);
    cipher["key_bits"] = config.key_bits.into();
    let kdf = if config.salt.is_empty() {
        json!({ "name": "encfs-old" })
    } else {
        json!({
            "name": "pbkdf2-hmac-sha1",
            "iterations": config.kdf_iterations,
            "salt_bits": 8 * config.salt.len(),
            "duration_ms": config.kdf_duration_ms,
        })
    };
    let format = match config.generation {
        Generation::V4 => 4,
        Generation::V5 => 5,
        Generation::V6 => 6,
    };
    json!({
        "format": format,
        "revision": config.sub_version,
        "creator": config.creator,
        "cipher": cipher,
        "naming": interface(&config.naming),
        "kdf": kdf,
        "block_size": config.block_size,
        "mac_bytes": config.mac_bytes,
        "random_bytes": config.rand_bytes,
        "plain_data": config.plain_data,
        "unique_iv": config.unique_iv,
        "chained_name_iv": config.chained_name_iv,
        "external_iv": config.external_iv,
        "allow_holes": config.allow_holes,
    })
}

/// Our version of `interface`, if it can serve the one asked for: `0 <= current - asked <= age`.
fn served(interface: &Interface) -> Option<[u32; 3]> {
    let (_, version) = SERVED
        .into_iter()
        .find(|(name, _)| *name == interface.name)?;
    let [current, _, age] = version;
    let distance = current.checked_sub(interface.major)?;
    (distance <= age).then_some(version)
}

fn lines(settings: &Settings<'_>) -> String {
    let mut text = format!("Key Size: {} bits\n", settings.key_bits);
    if let Some((salt, iterations)) = settings.salt {
        text.push_str(&format!("Using PBKDF2, with {iterations} iterations\n"));
        text.push_str(&format!("Salt Size: {} bits\n", 8 * salt.len()));
    }
    text.push_str(&format!("Block Size: {} bytes", settings.block_size));
    if settings.header_bytes > 0 {
        text.push_str(&format!(
            ", including {} byte MAC header",
            settings.header_bytes
        ));
    }
    text.push('\n');
    for (on, line) in [
        (settings.plain_data, "File contents are NOT encrypted."),
        (
            settings.unique_iv,
            "Each file contains 8 byte header with unique IV data.",
        ),
        (
            settings.chained_name_iv,
            "Filenames encoded using IV chaining mode.",
        ),
        (
            settings.external_iv,
            "File data IV is chained to filename IV.",
        ),
        (
            settings.allow_holes,
            "File holes passed through to ciphertext.",
        ),
    ] {
        if on {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Situation, paranoia, standard};

    #[test]
    fn an_existing_volume_as_encfs_shows_it() {
        let settings = standard(Situation::default()).unwrap();
        let config = settings
            .with_key(vec![0; 44], vec![0; 20], 657_620)
            .unwrap();
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            of_existing(&config),
            format!(
                "\n\
                Version 6 configuration; created by encfs-rs {version} (revision 20100713)\n\
                Filesystem cipher: \"ssl/aes\", version 3:0:0 (using 3:0:2)\n\
                Filename encoding: \"nameio/block\", version 4:0:0 (using 4:0:2)\n\
                Key Size: 192 bits\n\
                Using PBKDF2, with 657620 iterations\n\
                Salt Size: 160 bits\n\
                Block Size: 1024 bytes\n\
                Each file contains 8 byte header with unique IV data.\n\
                Filenames encoded using IV chaining mode.\n\
                File holes passed through to ciphertext.\n\
                \n"
            )
        );
    }

    #[test]
    fn a_new_volume_as_encfs_announces_it() {
        let settings = paranoia(Situation::default()).unwrap();
        assert_eq!(
            of_new(&settings),
            "Filesystem cipher: \"ssl/aes\", version 3:0:2\n\
            Filename encoding: \"nameio/block\", version 4:0:2\n\
            Key Size: 256 bits\n\
            Block Size: 1024 bytes, including 8 byte MAC header\n\
            Each file contains 8 byte header with unique IV data.\n\
            Filenames encoded using IV chaining mode.\n\
            File data IV is chained to filename IV.\n\
            File holes passed through to ciphertext.\n"
        );
    }

    #[test]
    fn majors_outside_the_age_are_not_served() {
        for (name, major, expected) in [
            ("ssl/aes", 3, true),
            ("ssl/aes", 1, true),
            ("ssl/aes", 4, false),
            ("nameio/block", 1, false),
            ("nameio/stream", 0, true),
            ("rot13", 1, false),
        ] {
            let interface = Interface::new(name, major, 0);
            assert_eq!(served(&interface).is_some(), expected, "{name} {major}");
        }
    }

    #[test]
    fn json_has_the_same() {
        let settings = standard(Situation::default()).unwrap();
        let config = settings.with_key(vec![0; 44], vec![0; 20], 9).unwrap();
        let json = as_json(&config);
        assert_eq!(json["format"], 6);
        assert_eq!(json["cipher"]["key_bits"], 192);
        assert_eq!(json["naming"]["name"], "nameio/block");
        assert_eq!(json["kdf"]["salt_bits"], 160);
        assert_eq!(json["external_iv"], false);
    }
}
