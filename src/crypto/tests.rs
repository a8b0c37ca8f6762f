//! Known answers of every step, and engines against each other.

// Lengths and noise of tests fit where they are put.
#![allow(clippy::cast_possible_truncation)]

use super::cbc::Engine;
use super::cbc_lanes::Lanes;
use super::testing::{Noise, cases, cipher, hex, items, material, number, pattern, small, suite};
use super::*;
use crate::secret::{Password, SecretBytes};

#[test]
fn ivs() {
    for case in cases("iv") {
        let suite = suite(&case);
        let ivs = iv::IvSeeder::new(&suite, &hex(&case, "key"), &hex(&case, "iv_base")).unwrap();
        for item in items(&case, "items") {
            let iv = ivs.iv(number(&item["seed"]));
            assert_eq!(iv[..suite.iv_len()], hex(item, "iv"), "{suite:?} {item}");
        }
    }
}

/// Both directions of one coding over all items of a case.
fn check_coding(
    file: &str,
    encode: impl Fn(&VolumeCipher, &mut [u8], u64),
    decode: impl Fn(&VolumeCipher, &mut [u8], u64),
) {
    for case in cases(file) {
        let cipher = cipher(&case);
        let plain = hex(&case, "plain");
        for item in items(&case, "items") {
            let len = number(&item["len"]) as usize;
            let seed = number(&item["seed"]);
            let coded = hex(item, "coded");
            let mut data = plain[..len].to_vec();
            encode(&cipher, &mut data, seed);
            assert_eq!(data, coded, "encode {cipher:?} {len} bytes, seed {seed}");
            decode(&cipher, &mut data, seed);
            assert_eq!(
                data,
                plain[..len],
                "decode {cipher:?} {len} bytes, seed {seed}"
            );
        }
    }
}

#[test]
fn stream_coding() {
    check_coding(
        "stream",
        VolumeCipher::encrypt_stream,
        VolumeCipher::decrypt_stream,
    );
}

#[test]
fn block_coding() {
    check_coding(
        "block",
        VolumeCipher::encrypt_block,
        VolumeCipher::decrypt_block,
    );
}

#[test]
fn headers_are_stream_coded() {
    let mut seen = 0;
    for case in cases("headers") {
        if case["kind"] != "header" {
            continue;
        }
        let cipher = cipher(&case);
        for item in items(&case, "items") {
            let mut data = number(&item["file_iv"]).to_be_bytes();
            cipher.encrypt_stream(&mut data, number(&item["external_iv"]));
            assert_eq!(data.to_vec(), hex(item, "header"), "{cipher:?} {item}");
            seen += 1;
        }
    }
    assert_ne!(seen, 0);
}

#[test]
fn macs() {
    for case in cases("mac") {
        let hmac = mac::keyed(&hex(&case, "key")).unwrap();
        for item in items(&case, "items") {
            let len = number(&item["len"]) as usize;
            let data = match &item["pattern"] {
                serde_json::Value::Null => hex(item, "data"),
                start => pattern(number(start), len),
            };
            assert_eq!(data.len(), len);
            let chain = item["chain"].as_str().map(|chain| chain.parse().unwrap());
            let mac64 = mac::mac64(&hmac, &data, chain);
            assert_eq!(
                mac64,
                number(&item["mac64"]),
                "{len} bytes, chain {chain:?}"
            );
            assert_eq!(u64::from(mac32_of(mac64)), number(&item["mac32"]));
            assert_eq!(u64::from(mac16_of(mac64)), number(&item["mac16"]));
        }
    }
}

#[test]
fn derivations() {
    for (file, salted) in [("kdf_old", false), ("kdf_pbkdf2", true)] {
        for case in cases(file) {
            let suite = suite(&case);
            let kdf = if salted {
                Kdf::Pbkdf2 {
                    salt: hex(&case, "salt"),
                    iterations: small(&case["iterations"]),
                }
            } else {
                Kdf::Old
            };
            let password = Password::new(hex(&case, "password"));
            let derived = derive_user_key(&suite, &password, &kdf);
            if case["refuse"].is_null() {
                let want = material(&case, "key", "iv_base");
                assert_eq!(derived.unwrap().material(), want, "{case}");
            } else {
                let error = derived.unwrap_err();
                let expected = if password.is_empty() {
                    Error::EmptyPassword
                } else {
                    Error::NoIterations
                };
                assert_eq!(error, expected, "{case}");
            }
        }
    }
}

#[test]
fn key_wrapping() {
    for case in cases("key_wrap") {
        let suite = suite(&case);
        let user_key = UserKey::from_material(SecretBytes::new(material(
            &case,
            "user_key",
            "user_iv_base",
        )));
        let wrapped = hex(&case, "wrapped");
        let unwrapped = unwrap_volume_key(&suite, &user_key, &wrapped, true);
        match case["kind"].as_str().unwrap() {
            "ok" => {
                let want = material(&case, "volume_key", "volume_iv_base");
                assert_eq!(unwrapped.unwrap().material(), want, "{case}");
                let volume_key = VolumeKey::from_material(SecretBytes::new(want));
                let again = wrap_volume_key(&suite, &user_key, &volume_key).unwrap();
                assert_eq!(again, wrapped, "{case}");
            }
            "checksum" => {
                assert_eq!(unwrapped.unwrap_err(), Error::WrongPassword, "{case}");
                let unchecked = unwrap_volume_key(&suite, &user_key, &wrapped, false).unwrap();
                let want = material(&case, "unchecked_key", "unchecked_iv_base");
                assert_eq!(unchecked.material(), want, "{case}");
            }
            "length" => {
                let damaged = Error::WrappedKeyLength {
                    want: suite.wrapped_key_len(),
                    got: wrapped.len(),
                };
                assert_eq!(unwrapped.unwrap_err(), damaged, "{case}");
                // Even where wrong passwords are let pass, a damaged key is not.
                let unchecked = unwrap_volume_key(&suite, &user_key, &wrapped, false);
                assert_eq!(unchecked.unwrap_err(), damaged, "{case}");
            }
            kind => panic!("unknown kind {kind}"),
        }
        if let Some(password) = case["password"].as_str() {
            assert!(!password.is_empty());
            let kdf = Kdf::of(&hex(&case, "salt"), small(&case["iterations"]));
            let password = Password::new(hex(&case, "password"));
            let derived = derive_user_key(&suite, &password, &kdf).unwrap();
            assert_eq!(derived.material(), user_key.material(), "{case}");
        }
    }
}

/// Every engine that can serve a suite, with a name.
fn engines(suite: &CipherSuite, key: &[u8]) -> Vec<(&'static str, Engine)> {
    let mut engines = vec![("chosen", Engine::new(suite, key).unwrap())];
    match suite.algorithm() {
        Algorithm::Aes => {
            engines.push(("aes crate", Engine::aes_crate(suite, key).unwrap()));
            engines.push(("OpenSSL", Engine::openssl(suite, key).unwrap()));
        }
        Algorithm::Camellia => engines.push(("OpenSSL", Engine::openssl(suite, key).unwrap())),
        Algorithm::Blowfish | Algorithm::Null => {}
    }
    engines
}

fn all_suites() -> Vec<CipherSuite> {
    let mut suites = Vec::new();
    for algorithm in Algorithm::OFFERED {
        for &bits in algorithm.key_sizes() {
            for major in 1..=algorithm.current_major() {
                let name = algorithm.interface_name();
                suites.push(CipherSuite::new(name, major, bits).unwrap());
            }
        }
    }
    suites.push(CipherSuite::NULL);
    suites
}

#[test]
fn engines_agree_with_each_other_and_a_run_with_its_blocks_one_by_one() {
    let mut noise = Noise::new(1);
    for suite in all_suites() {
        let material = noise.bytes(suite.material_len());
        let ciphers: Vec<_> = engines(&suite, &material[..suite.key_len()])
            .into_iter()
            .map(|(name, engine)| {
                let cipher = VolumeCipher::with_engine(suite, engine, &material).unwrap();
                (name, cipher)
            })
            .collect();
        let (_, reference) = &ciphers[0];
        for (block_size, blocks) in [(48, 1), (64, 3), (64, 8), (1024, 9), (80, 23), (4096, 5)] {
            let plain = noise.bytes(block_size * blocks);
            let (first, file_iv) = (noise.next(), noise.next());
            // The serial way: each block alone, by its seed.
            let mut serial = plain.clone();
            for (block, i) in serial.chunks_mut(block_size).zip(0..) {
                reference.encrypt_block(block, first.wrapping_add(i) ^ file_iv);
            }
            for (name, cipher) in &ciphers {
                let what = format!("{suite:?} {name}: {blocks} blocks of {block_size}");
                let mut run = plain.clone();
                cipher.encrypt_run(&mut run, block_size, first, file_iv);
                assert_eq!(run, serial, "{what}");
                cipher.decrypt_run(&mut run, block_size, first, file_iv);
                assert_eq!(run, plain, "{what}");
            }
        }
        for len in (1..200).chain([1000, 3000, 5001]) {
            let plain = noise.bytes(len);
            let seed = noise.next();
            let mut expected = plain.clone();
            reference.encrypt_stream(&mut expected, seed);
            for (name, cipher) in &ciphers {
                let mut data = plain.clone();
                cipher.encrypt_stream(&mut data, seed);
                assert_eq!(data, expected, "{suite:?} {name}: {len} bytes");
                cipher.decrypt_stream(&mut data, seed);
                assert_eq!(data, plain, "{suite:?} {name}: {len} bytes");
            }
        }
    }
}

/// OpenSSL's Camellia against another author's.
#[test]
fn camellia_of_openssl_is_that_of_the_crate() {
    fn check<C>(bits: u32)
    where
        C: aes::cipher::KeyInit + aes::cipher::BlockCipherEncrypt + aes::cipher::BlockCipherDecrypt,
    {
        let suite = CipherSuite::new("ssl/camellia", 3, bits).unwrap();
        let mut noise = Noise::new(u64::from(bits));
        let key = noise.bytes(suite.key_len());
        let openssl = Engine::openssl(&suite, &key).unwrap();
        let other = Lanes::new(C::new_from_slice(&key).unwrap());
        let ivs: Vec<iv::Iv> = (0..11)
            .map(|_| noise.bytes(16).try_into().unwrap())
            .collect();
        let plain = noise.bytes(11 * 112);
        let (mut a, mut b) = (plain.clone(), plain.clone());
        openssl.encrypt_run(&mut a, 112, |i| ivs[i as usize]);
        other.encrypt_run(&mut b, 112, |i| ivs[i as usize]);
        assert_eq!(a, b);
        openssl.decrypt_run(&mut b, 112, |i| ivs[i as usize]);
        other.decrypt_run(&mut a, 112, |i| ivs[i as usize]);
        assert_eq!((&a, &b), (&plain, &plain));
        openssl.cfb_encrypt(&mut a[..77], &ivs[0]);
        other.cfb_encrypt(&mut b[..77], &ivs[0]);
        assert_eq!(a, b);
        other.cfb_decrypt(&mut a[..77], &ivs[0]);
        assert_eq!(a, plain);
    }
    check::<camellia::Camellia128>(128);
    check::<camellia::Camellia192>(192);
    check::<camellia::Camellia256>(256);
}

#[test]
fn contexts_of_the_pool_serve_many_threads() {
    let suite = CipherSuite::new("ssl/camellia", 3, 256).unwrap();
    let material = Noise::new(5).bytes(suite.material_len());
    let cipher = VolumeCipher::from_material(suite, &material).unwrap();
    let plain = pattern(3, 64 * 1024);
    let mut expected = plain.clone();
    cipher.encrypt_run(&mut expected, 1024, 7, 9);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..8 {
                    let mut data = plain.clone();
                    cipher.encrypt_run(&mut data, 1024, 7, 9);
                    assert_eq!(data, expected);
                    cipher.decrypt_run(&mut data, 1024, 7, 9);
                    assert_eq!(data, plain);
                }
            });
        }
    });
}

#[test]
fn the_null_cipher_leaves_everything_as_it_is() {
    let cipher = VolumeCipher::null().unwrap();
    let mut data = *b"plain";
    cipher.encrypt_run(&mut data, 5, 1, 2);
    cipher.encrypt_stream(&mut data, 3);
    assert_eq!(&data, b"plain");
    assert_eq!(cipher.mac64(b"plain", Some(77)), 0);
    assert_eq!(cipher.chain_after(77, 0), 77);
}

#[test]
#[should_panic(expected = "no run of blocks")]
fn bytes_that_would_stay_plain_are_not_let_pass() {
    let suite = CipherSuite::new("ssl/aes", 3, 128).unwrap();
    let cipher = VolumeCipher::from_material(suite, &[1; 32]).unwrap();
    cipher.encrypt_run(&mut [0; 65], 64, 0, 0);
}

#[test]
fn keys_of_another_suite_are_refused() {
    let suite = CipherSuite::new("ssl/aes", 3, 128).unwrap();
    let error = VolumeCipher::from_material(suite, &[1; 40]).unwrap_err();
    assert_eq!(error, Error::KeyLength { want: 32, got: 40 });
}

/// Wrapped keys of any length and contents: an answer, never a panic.
#[test]
fn hostile_wrapped_keys_are_answered() {
    let mut noise = Noise::new(21);
    for suite in all_suites() {
        let user_key = UserKey::from_material(SecretBytes::new(noise.bytes(suite.material_len())));
        for len in 0..80 {
            let wrapped = noise.bytes(len);
            let right_length = len == suite.wrapped_key_len();
            let unchecked = unwrap_volume_key(&suite, &user_key, &wrapped, false);
            assert_eq!(unchecked.is_ok(), right_length, "{suite:?} {len} bytes");
            let checked = unwrap_volume_key(&suite, &user_key, &wrapped, true);
            let passes = suite.algorithm() == Algorithm::Null && right_length;
            assert_eq!(checked.is_ok(), passes, "{suite:?} {len} bytes");
        }
    }
}

#[test]
fn a_key_wrapped_under_itself_unwraps_to_itself() {
    for suite in all_suites() {
        let material = Noise::new(31).bytes(suite.material_len());
        let key = VolumeKey::from_material(SecretBytes::new(material.clone()));
        let shown = wrap_under_itself(&suite, &key).unwrap();
        assert_eq!(shown.len(), suite.wrapped_key_len());
        let user_key = UserKey::from_material(SecretBytes::new(material));
        let back = unwrap_volume_key(&suite, &user_key, &shown, true).unwrap();
        assert!(back.same_as(&key));
    }
}
