//! Red packets, face devices, short texts of QR codes.

use money::Fen;

use super::{LimitError, characters, text};

/// Most fen of a red packet, with a scene.
pub const REDPACK_MAX: Fen = Fen::new(2_000_000);

/// A red packet within 1 to 200 yuan needs no scene.
const REDPACK_WITHOUT_SCENE: std::ops::RangeInclusive<i64> = 100..=20_000;

/// The scenes of red packets.
const SCENES: std::ops::RangeInclusive<u8> = b'1'..=b'8';

/// `send_name` of a red packet: 1 to 32 bytes, by the rules of `body`.
pub fn check_send_name(send_name: &str) -> Result<(), LimitError> {
    text(send_name, 32)
}

/// `wishing` of a red packet: 1 to 128 bytes.
pub fn check_wishing(wishing: &str) -> Result<(), LimitError> {
    text(wishing, 128)
}

/// `act_name` of a red packet: 1 to 32 bytes.
pub fn check_act_name(act_name: &str) -> Result<(), LimitError> {
    text(act_name, 32)
}

/// `remark` of a red packet: 1 to 256 bytes.
pub fn check_remark(remark: &str) -> Result<(), LimitError> {
    text(remark, 256)
}

/// `total_amount` of a red packet: 1 fen up to [`REDPACK_MAX`].
pub fn check_redpack_amount(total_amount: Fen) -> Result<(), LimitError> {
    if total_amount.is_positive() && total_amount <= REDPACK_MAX { Ok(()) } else { Err(LimitError::RedpackAmount) }
}

/// `scene_id` of a red packet: `PRODUCT_1` to `PRODUCT_8`. Empty only within 1 to 200 yuan.
pub fn check_scene_id(scene_id: &str, total_amount: Fen) -> Result<(), LimitError> {
    let known = match scene_id.strip_prefix("PRODUCT_").map(str::as_bytes) {
        Some([scene]) => SCENES.contains(scene),
        _ => scene_id.is_empty() && REDPACK_WITHOUT_SCENE.contains(&total_amount.get()),
    };
    if known { Ok(()) } else { Err(LimitError::Scene) }
}

/// `store_id` and `device_id` of a face device: 1 to 32 characters.
pub fn check_device_number(number: &str) -> Result<(), LimitError> {
    characters(number, 32)
}

/// `store_name` of a face device: 1 to 128 characters.
pub fn check_store_name(store_name: &str) -> Result<(), LimitError> {
    characters(store_name, 128)
}

/// `rawdata` of a face device: 1 to 2048 printable ASCII characters.
pub fn check_rawdata(rawdata: &str) -> Result<(), LimitError> {
    ascii(rawdata, 2048)
}

/// `long_url`: 1 to 512 bytes of printable ASCII.
pub fn check_long_url(long_url: &str) -> Result<(), LimitError> {
    ascii(long_url, 512)
}

fn ascii(value: &str, max: usize) -> Result<(), LimitError> {
    if value.is_empty() {
        return Err(LimitError::Empty);
    }
    if max < value.len() {
        return Err(LimitError::TooLong { max });
    }
    if value.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(LimitError::Characters { what: "other characters than printable ASCII" })
    }
}
