//! A file that is small and means much: read with little memory, or refused.

use crate::shop::{PROGRAM, SPEC, Shop, WORLDS};
use std::fs;

/// What the whole process may have, code and stacks included. In KiB.
const LIMIT: u32 = 1_500_000;

const MEBIBYTE: usize = 1024 * 1024;

#[test]
fn nothing_in_a_file_takes_the_whole_memory() {
    let shop = Shop::open();
    let laughs = (0..30).fold("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned(), |text, n| {
        let ten = format!("*a{n},").repeat(10);
        text + &format!("a{}: &a{} [{ten}]\n", n + 1, n + 1)
    });
    let values = |text: &str| text.repeat(64 * MEBIBYTE / text.len() - 1);
    let plan = |values: String| {
        format!(
            "{{\"format\":1,\"stack\":\"shop\",\"account\":\"123456789012\",\"destroy\":false,\"adopt\":[],\"delete_data\":false,\"plan\":[{values}0]}}"
        )
    };
    let world = |policy: String| {
        let mut world = WORLDS[0].clone();
        world["buckets"]["shop-files"]["policy"] = "HERE".into();
        world.to_string().replace("\"HERE\"", &policy)
    };
    let spec = "provision.yaml";
    let record = ".provision/sandbox/world.json";
    let (load, carry_out, look) =
        ("validate", "apply next.plan --sandbox --yes", "status --sandbox");
    let rows: [(&str, &str, String, &str, i32); 10] = [
        ("aliases of aliases", spec, format!("{SPEC}{laughs}"), load, 65),
        ("a list in each list", spec, "[".repeat(MEBIBYTE - 1), load, 65),
        ("an entry in each entry", spec, "- ".repeat(MEBIBYTE / 2 - 1), load, 65),
        ("a million keys", spec, "a: \n".repeat(MEBIBYTE / 4 - 1), load, 65),
        (
            "one long line of keys",
            spec,
            format!("stack: shop\ntags: {{{}}}\n", "x: [1], ".repeat(MEBIBYTE / 8 - 100)),
            load,
            65,
        ),
        ("numbers without end", "next.plan", plan(values("0,")), carry_out, 4),
        ("objects without end", "next.plan", plan(values("{\"\":0},")), carry_out, 4),
        (
            "a policy of numbers",
            record,
            world(format!("[{}0]", "0,".repeat(30 * MEBIBYTE))),
            look,
            1,
        ),
        ("a policy within policies", record, world("[".repeat(MEBIBYTE)), look, 1),
        (
            "a text without end",
            record,
            world(format!("\"{}\"", "x".repeat(65 * MEBIBYTE))),
            look,
            1,
        ),
    ];
    for (what, file, text, arguments, code) in rows {
        let before = fs::read(shop.path(file)).ok();
        fs::create_dir_all(shop.path(file).parent().unwrap()).unwrap();
        fs::write(shop.path(file), text).unwrap();
        let mut command = shop.prepare("/bin/sh");
        command
            .args(["-c", &format!("ulimit -v {LIMIT}; exec \"$0\" \"$@\""), PROGRAM])
            .args(arguments.split_whitespace());
        let output = command.output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{what}: {told}");
        assert!(told.starts_with("error: ") && told.len() < 200_000, "{what}: {told}");
        match before {
            Some(bytes) => fs::write(shop.path(file), bytes).unwrap(),
            None => fs::remove_file(shop.path(file)).unwrap(),
        }
    }
}
