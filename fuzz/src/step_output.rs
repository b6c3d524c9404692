//! Any bytes in any pieces are understood as a step's output; what is shown are whole lines of text, and no secret is in them.
#![no_main]

use std::sync::Arc;

use lineclear_command::{Ear, Interpreter, InterpreterSettings, Matchers, Said, SharedMasker};

const SECRET: &str = "hunter2-s3cr3t";

struct Listener;

impl Ear for Listener {
    fn said(&mut self, said: Said) {
        if let Said::Annotation(note) = said {
            assert!(!note.message.contains(SECRET));
        }
    }

    fn lines(&mut self, masked: &[u8]) {
        let text = std::str::from_utf8(masked).expect("lines are text");
        assert!(text.ends_with('\n'), "lines are whole");
        assert!(!text.contains(SECRET), "a secret is shown");
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((&size, output)) = data.split_first() else { return };
    let masker = SharedMasker::default();
    masker.add(SECRET);
    let matchers = Arc::new(std::sync::Mutex::new(Matchers::default()));
    let json = r#"{"problemMatcher":[{"owner":"m","pattern":[{"regexp":"^(\\w+):(\\d+): (.*)$","file":1,"line":2,"message":3}]}]}"#;
    if size % 2 == 0 {
        matchers.lock().expect("not poisoned").add(json).expect("a valid matcher");
    }
    let settings = InterpreterSettings { debug: size % 3 == 0, insecure_commands: size % 5 == 0, ..Default::default() };
    let mut interpreter = Interpreter::new(settings, masker, matchers);
    for (at, piece) in output.chunks(usize::from(size).max(1)).enumerate() {
        interpreter.feed(at % 2, piece, &mut Listener);
    }
    interpreter.finish(&mut Listener);
});
