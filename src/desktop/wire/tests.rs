//! Messages that another implementation wrote (jeepney 0.9, in Python), and bytes that are none.

use proptest::prelude::*;

use super::*;

/// `PropertiesChanged` of a session, little-endian and big-endian, with values of many types before `LockedHint`.
const CHANGED: [&str; 2] = [
    "6c040001da000000090000009600000001016f00230000002f6f72672f667265656465736b746f702f6c6f67696e312f73657373696f6e2f5f33310000000000020173001f0000006f72672e667265656465736b746f702e444275732e50726f7065727469657300030173001100000050726f706572746965734368616e6765640000000000000007017300040000003a312e3700000000080167000873617b73767d61730000001e0000006f72672e667265656465736b746f702e6c6f67696e312e53657373696f6e0000a80000000800000049646c6548696e740001620001000000000000000d00000049646c6553696e636548696e740001740000000007000000000000000400000053656174000428736f290000050000007365617430000000010000002f000000000000000100000058000761287961617329000018000000000000000100000010000000060000000100000078000000000000000a0000004c6f636b656448696e740001620000000100000006000000010000005900",
    "42040001000000da000000090000009601016f00000000232f6f72672f667265656465736b746f702f6c6f67696e312f73657373696f6e2f5f33310000000000020173000000001f6f72672e667265656465736b746f702e444275732e50726f7065727469657300030173000000001150726f706572746965734368616e6765640000000000000007017300000000043a312e3700000000080167000873617b73767d61730000000000001e6f72672e667265656465736b746f702e6c6f67696e312e53657373696f6e0000000000a80000000849646c6548696e740001620000000001000000000000000d49646c6553696e636548696e740001740000000000000000000000070000000453656174000428736f290000000000057365617430000000000000012f000000000000000000000158000761287961617329000000000018000000000100000000000010000000060000000178000000000000000000000a4c6f636b656448696e740001620000000000000100000006000000015900",
];
/// A call of `Notify`.
const NOTIFY: &str = "6c0100015c000000030000008300000001016f001e0000002f6f72672f667265656465736b746f702f4e6f74696669636174696f6e730000020173001d0000006f72672e667265656465736b746f702e4e6f74696669636174696f6e7300000003017300060000004e6f74696679000006017300040000003a312e3900000000080167000d73757373736173617b73767d6900000000000004000000766d666100000000000000000100000069000000010000007400000001000000780000001600000005000000616c6c6f7700000005000000416c6c6f770000001000000007000000757267656e63790001790002e8030000";

/// A call of the portal's `Screenshot`.
const SCREENSHOT: &str = "6c01000148000000030000008c00000001016f001f0000002f6f72672f667265656465736b746f702f706f7274616c2f6465736b746f700002017300210000006f72672e667265656465736b746f702e706f7274616c2e53637265656e73686f7400000000000000030173000a00000053637265656e73686f7400000000000006017300040000003a312e3900000000080167000673617b73767d0000000000000000000000000038000000000000000c00000068616e646c655f746f6b656e0001730006000000766d66615f3700000b000000696e746572616374697665000162000000000000";
/// A request's `Response`.
const RESPONSE: &str = "6c04000146000000090000009c00000001016f00320000002f6f72672f667265656465736b746f702f706f7274616c2f6465736b746f702f726571756573742f315f342f766d66615f37000000000000020173001e0000006f72672e667265656465736b746f702e706f7274616c2e5265717565737400000301730008000000526573706f6e7365000000000000000007017300040000003a312e3700000000080167000675617b73767d0000000000000000003e0000000100000078000261730000000600000001000000710000000300000075726900017300001500000066696c653a2f2f2f746d702f61253230622e706e6700";

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap() as u8;
    hex.as_bytes()
        .chunks(2)
        .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
        .collect()
}

#[test]
fn another_implementation_s_messages_are_read_in_either_order_of_bytes() {
    for hex in CHANGED {
        let bytes = bytes(hex);
        let fixed = bytes.first_chunk().unwrap();
        assert_eq!(length(fixed), Ok(bytes.len() as u64));
        let message = Message::read(&bytes).unwrap();
        assert!(message.is_signal("org.freedesktop.DBus.Properties", "PropertiesChanged"));
        assert!(!message.is_signal("org.freedesktop.DBus.Properties", "Get"));
        assert_eq!(message.path, "/org/freedesktop/login1/session/_31");
        assert_eq!((message.sender.as_str(), message.reply_to), (":1.7", None));
        assert!(message.values("sa{sv}").is_none());
        let mut values = message.values("sa{sv}as").unwrap();
        assert_eq!(values.string(), Some("org.freedesktop.login1.Session"));
        let end = values.array(8).unwrap();
        let mut names = Vec::new();
        while values.at() < end {
            values.align(8).unwrap();
            names.push(values.string().unwrap());
            values.skip("v").unwrap();
        }
        let told = ["IdleHint", "IdleSinceHint", "Seat", "X", "LockedHint"];
        assert_eq!((values.at(), names.as_slice()), (end, told.as_slice()));
        assert_eq!(values.strings(), Some(vec!["Y"]));
        assert!(values.u8().is_none());
        // As a whole, and not past its end.
        let mut whole = message.values("sa{sv}as").unwrap();
        assert!(whole.skip("sa{sv}as").is_some() && whole.u8().is_none());
        assert!(
            message
                .values("sa{sv}as")
                .unwrap()
                .skip("sa{sv}asy")
                .is_none()
        );
    }
}

#[test]
fn a_call_is_written_as_another_implementation_writes_it() {
    let method = Method {
        destination: ":1.9",
        path: "/org/freedesktop/Notifications",
        interface: "org.freedesktop.Notifications",
        member: "Notify",
    };
    let values = Values::default()
        .string("vmfa")
        .u32(0)
        .string("i")
        .string("t")
        .string("x")
        .strings(&["allow", "Allow"])
        .options(&[("urgency", Variant::Byte(2))])
        .i32(1000);
    assert_eq!(method.call(3, &values), bytes(NOTIFY));
    let method = Method {
        destination: ":1.9",
        path: "/org/freedesktop/portal/desktop",
        interface: "org.freedesktop.portal.Screenshot",
        member: "Screenshot",
    };
    let options = [
        ("handle_token", Variant::Text("vmfa_7")),
        ("interactive", Variant::Bool(false)),
    ];
    let values = Values::default().string("").options(&options);
    assert_eq!(method.call(3, &values), bytes(SCREENSHOT));
}

#[test]
fn a_text_in_a_variant_is_read() {
    let message = Message::read(&bytes(RESPONSE)).unwrap();
    assert!(message.is_signal("org.freedesktop.portal.Request", "Response"));
    let mut values = message.values("ua{sv}").unwrap();
    assert_eq!(values.u32(), Some(0));
    let end = values.array(8).unwrap();
    assert_eq!(values.string(), Some("x"));
    let at = values.at();
    assert!(values.variant_text().is_none(), "it is of another type");
    values.at = at;
    values.skip("v").unwrap();
    values.align(8).unwrap();
    assert_eq!(values.string(), Some("uri"));
    assert_eq!(values.variant_text(), Some("file:///tmp/a%20b.png"));
    assert_eq!(values.at(), end);
}

#[test]
fn what_is_too_long_too_deep_or_of_another_version_is_refused() {
    let good = bytes(CHANGED[0]);
    let with = |at: usize, bytes: &[u8]| {
        let mut fixed: [u8; FIXED_LEN] = *good.first_chunk().unwrap();
        fixed[at..at + bytes.len()].copy_from_slice(bytes);
        length(&fixed)
    };
    assert!(with(0, b"l").is_ok());
    for (at, bytes) in [
        (0, &b"x"[..]),
        (3, &[2]),
        (4, &[0xff; 4]),
        (12, &[0xff; 4]),
        (4, &[0, 0, 0, 8]),
    ] {
        assert_eq!(with(at, bytes), Err(Malformed), "{at} {bytes:?}");
    }
    // A variant in a variant, and so on: deeper than any stack should be asked for.
    let nested: Vec<u8> = [1, b'v', 0].repeat(100_000);
    assert!(Reader::new(&nested, false).skip("v").is_none());
    let structs = format!("{}y{}", "(".repeat(100), ")".repeat(100));
    assert!(Reader::new(&[0; 64], false).skip(&structs).is_none());
    for odd in ["a", "(", "(y", "z", ")", "{", "a{sv", "(y}"] {
        assert!(Reader::new(&[0; 64], false).skip(odd).is_none(), "{odd}");
    }
}

#[test]
fn no_cut_message_is_taken_for_a_whole_one() {
    let good = bytes(CHANGED[0]);
    for cut in 0..good.len() {
        if let Ok(message) = Message::read(&good[..cut]) {
            let mut values = message.values("sa{sv}as").unwrap();
            assert!(values.skip("sa{sv}as").is_none(), "{cut}");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), signature in "[ybnqiuxtdsogav(){}]{0,20}") {
        let _ = Reader::new(&bytes, false).skip(&signature);
        let _ = Message::read(&bytes);
        if let Some(first) = bytes.first_mut() {
            *first = b'B';
            let _ = Message::read(&bytes);
        }
    }

    #[test]
    fn a_message_with_any_byte_changed_is_read_or_refused(at in 0_usize..450, to in any::<u8>()) {
        let mut bytes = bytes(CHANGED[0]);
        let at = at % bytes.len();
        bytes[at] = to;
        if let Ok(message) = Message::read(&bytes)
            && let Some(mut values) = message.values("sa{sv}as")
        {
            let _ = values.skip("sa{sv}as");
        }
    }
}
