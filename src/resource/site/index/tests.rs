use super::*;

fn stack() -> StackName {
    "shop".parse().unwrap()
}

fn known<'a>(key: &'a ObjectKey, etag: &'a str, served: Served) -> Known<'a> {
    Known { key, etag, md5: etag, served }
}

fn bytes(content: &Content) -> Vec<u8> {
    let Source::Memory(bytes) = &content.source else { unreachable!() };
    bytes.to_vec()
}

#[test]
fn it_knows_what_was_put_and_how_and_nothing_else() {
    let [page, style, other]: [ObjectKey; 3] =
        ["a.html", "b.css", "c"].map(|key| key.parse().unwrap());
    let served =
        |kind: &str| Served { headers: ObjectHeaders::new(kind, "x"), switch: String::new() };
    let put = [known(&page, "1", served("text/html")), known(&style, "2", served("text/css"))];
    let record = record(&stack(), (&page, &other), None, None, put.into_iter());
    let index = Index::read(&bytes(&record), &stack()).unwrap();
    assert_eq!(index.served(&page, "1"), Some(&served("text/html")));
    assert_eq!(index.served(&style, "2"), Some(&served("text/css")));
    for (key, etag) in [(&page, "2"), (&style, "1"), (&other, "1")] {
        assert_eq!(index.served(key, etag), None, "{key} {etag}");
    }
    assert!(!String::from_utf8(bytes(&record)).unwrap().contains("b.css"), "it tells no key");
}

#[test]
fn it_says_whether_copies_of_what_went_linger() {
    let key: ObjectKey = "a".parse().unwrap();
    for (said, lingers, ends) in
        [(None, false, false), (Some(true), true, false), (Some(false), false, true)]
    {
        let objects = [known(&key, "1", Served::default())].into_iter();
        let record = record(&stack(), (&key, &key), said, None, objects);
        let index = Index::read(&bytes(&record), &stack()).unwrap();
        assert_eq!((index.lingers, settles(&record)), (lingers, ends), "{said:?}");
    }
}

/// An `ETag` that is no MD5 is known once it came; the one that was planned is none.
#[test]
fn it_knows_which_bytes_an_etag_stands_for() {
    let [key, other]: [ObjectKey; 2] = ["a", "b"].map(|key| key.parse().unwrap());
    let objects = [&key, &other].map(|key| known(key, "md5", Served::default()));
    let planned = record(&stack(), (&key, &other), None, None, objects.into_iter());
    assert_eq!(stored(&planned, std::iter::empty()), None);
    let came = stored(&planned, [(&key, "md5", "kms")].into_iter()).unwrap();
    let index = Index::read(&bytes(&came), &stack()).unwrap();
    assert!(index.has_put(&key, "kms", "md5") && index.served(&key, "kms").is_some());
    assert_eq!((index.served(&key, "md5"), index.has_put(&key, "md5", "md5")), (None, false));
    assert!(index.served(&other, "md5").is_some() && !index.has_put(&key, "kms", "other"));
    let seen = Known { key: &key, etag: "kms", md5: "md5", served: Served::default() };
    let again = record(&stack(), (&key, &other), None, None, [seen].into_iter());
    let again = Index::read(&bytes(&again), &stack()).unwrap();
    assert!(again.has_put(&key, "kms", "md5"));
    let warns = again.lingering(&stack(), None, std::iter::empty());
    let warns = Index::read(&bytes(&warns), &stack()).unwrap();
    assert_eq!(warns, Index { lingers: true, ..again.clone() });
    let asked = again.lingering(&stack(), None, [(&key, "kms")].into_iter());
    assert_eq!(Index::read(&bytes(&asked), &stack()).unwrap().served(&key, "kms"), None);
}

#[test]
fn another_stack_s_or_a_damaged_one_is_none() {
    let key: ObjectKey = "a".parse().unwrap();
    let good = bytes(&record(
        &stack(),
        (&key, &key),
        None,
        None,
        [known(&key, "1", Served::default())].into_iter(),
    ));
    let good = String::from_utf8(good).unwrap();
    assert!(Index::read(good.as_bytes(), &stack()).is_some());
    let digests = good.find("digests\":\"").unwrap() + 10;
    for bad in [
        String::new(),
        "[]".into(),
        good.replace("shop", "shop-2"),
        good.replace("\"format\":1", "\"format\":2"),
        good[..good.len() - 1].into(),
        format!("{}{}", &good[..digests], &good[digests + 2..]),
        format!("{}é{}", &good[..digests], &good[digests + 2..]),
    ] {
        assert_eq!(Index::read(bad.as_bytes(), &stack()), None, "{bad}");
    }
}
