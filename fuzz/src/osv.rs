//! Any bytes are read as a record, as a database and as versions, or refused: without a panic. What a record says is found again in the database
//! that is made of it.
#![no_main]

use lineclear_vulnerability::{Builder, Database, Scheme, read_record, severity_of_vector};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok((filed, modified)) = read_record(data) {
        let mut builder = Builder::default();
        builder.add(filed.clone(), &modified);
        let bytes = builder.finish("2026-01-31T12:00:00Z").expect("it can be packed");
        let database = Database::open(bytes).expect("it was just made");
        for one in filed {
            let found = database.of(&one.ecosystem, &one.name).expect("it was just made");
            assert!(found.contains(&one.advisory));
        }
    }
    if let Ok(database) = Database::open(data.to_vec()) {
        let _ = database.of("npm", "a");
    }
    let text = String::from_utf8_lossy(data);
    let _ = severity_of_vector(&text);
    let (one, other) = text.split_once('\n').unwrap_or((&text, "1.0"));
    for scheme in Scheme::ALL {
        assert_eq!(scheme.compare(one, other), scheme.compare(other, one).reverse());
    }
});
