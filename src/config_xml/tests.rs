use super::{read, write};
use crate::config::vectors::{Random, cases, fields, hex, stage};
use crate::config::{Error, Fault, Place, VolumeConfig, limits};

const VECTORS: &str = include_str!("../../fixtures/vectors/config_xml.json");

fn document(case: &serde_json::Value) -> Vec<u8> {
    match case["document"].as_str() {
        Some(text) => text.as_bytes().to_vec(),
        None => hex(&case["document_hex"]),
    }
}

fn standard() -> String {
    let cases = cases(VECTORS);
    cases[0]["document"].as_str().unwrap().to_owned()
}

#[test]
fn known_answers() {
    let mut done = 0;
    for case in cases(VECTORS) {
        let note = case["note"].as_str().unwrap();
        let document = document(&case);
        let result = read(&document);
        if let Some(expected) = case.get("values") {
            let config = result.unwrap_or_else(|e| panic!("{note}: {e}"));
            assert_eq!(*config, fields(expected), "{note}");
            let again = read(&write(&config)).unwrap();
            assert_eq!(again, config, "{note}: written and read again");
        } else {
            let error = result.expect_err(note);
            assert_eq!(
                stage(&error),
                case["stage"].as_str().unwrap(),
                "{note}: {error}"
            );
        }
        if case["op"] == "write" {
            let config = VolumeConfig::new(fields(&case["values"])).unwrap();
            let written = String::from_utf8(write(&config)).unwrap();
            assert_eq!(written.as_bytes(), document, "{note}: {written}");
        }
        done += 1;
    }
    assert_eq!(done, 146);
}

#[test]
fn errors_tell_the_line() {
    let text = standard().replace("<keySize>192</keySize>", "<keySize>much</keySize>");
    let fault = Fault::NotANumber {
        what: "keySize",
        text: "much".to_owned(),
    };
    assert_eq!(
        read(text.as_bytes()),
        Err(Error::damaged(Place::Line(17), fault))
    );
    let text = standard().replace("</blockSize>", "</blocksize>");
    let Err(Error::Damaged { place, fault }) = read(text.as_bytes()) else {
        panic!("accepted");
    };
    assert_eq!(place, Place::Line(18));
    assert!(matches!(fault, Fault::Syntax(_)), "{fault}");
}

#[test]
fn entities_of_the_document_are_refused() {
    let bomb = "<!DOCTYPE boost_serialization [\
        <!ENTITY a \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\">\
        <!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]>";
    let text = standard().replace("<!DOCTYPE boost_serialization>", bomb);
    let text = text.replace("EncFS 1.9.5", "&c;");
    let refused = Error::damaged(Place::Line(2), Fault::Entities);
    assert_eq!(read(text.as_bytes()), Err(refused.clone()));
    let external = "<!DOCTYPE boost_serialization [<!ENTITY x SYSTEM \"file:///etc/hostname\">]>";
    let text = standard().replace("<!DOCTYPE boost_serialization>", external);
    assert_eq!(read(text.as_bytes()), Err(refused));
}

#[test]
fn size_and_depth_are_bounded() {
    let huge = vec![b' '; limits::MAX_FILE + 1];
    assert_eq!(
        read(&huge),
        Err(Error::damaged(
            Place::Whole,
            Fault::TooLarge(limits::MAX_FILE)
        ))
    );
    let deep = "<boost_serialization>".repeat(100_000 / 2);
    let refused = read(&deep.as_bytes()[..limits::MAX_FILE]);
    assert_eq!(refused, Err(Error::damaged(Place::Line(1), Fault::TooDeep)));
}

#[test]
fn unknown_elements_survive_saving() {
    let text = standard().replace(
        "<keySize>",
        "<future a=\"1&quot;&lt;2\"><x>&amp;1</x>\n <y/></future><keySize>",
    );
    let config = read(text.as_bytes()).unwrap();
    assert_eq!(config.extras().len(), 1);
    let saved = config
        .with_key(config.key_data.clone(), config.salt.clone(), 5)
        .unwrap();
    let again = read(&write(&saved)).unwrap();
    assert_eq!(again, saved);
    assert_eq!(again.extras(), config.extras());
    assert_eq!(again.extras()[0].children[0].text, "&1");
    assert_eq!(again.extras()[0].attributes[0].1, "1\"<2");
}

#[test]
fn bytes_after_the_root_element_do_not_matter() {
    let text = standard() + "\0\0garbage <";
    assert!(read(text.as_bytes()).is_ok());
}

#[test]
fn mutated_documents_never_panic_and_stay_consistent() {
    let seed = 0x0dd_ba11;
    println!("seed {seed:#x}");
    let mut random = Random(seed);
    let mut accepted = 0;
    for case in cases(VECTORS) {
        let document = document(&case);
        for _ in 0..60 {
            let wounded = random.wound(&document);
            if let Ok(config) = read(&wounded) {
                accepted += 1;
                let again = read(&write(&config));
                let text = String::from_utf8_lossy(&wounded);
                assert_eq!(again.as_ref(), Ok(&config), "{text}");
            }
        }
    }
    assert!(accepted > 100);
}
