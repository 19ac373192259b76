//! Deterministic random numbers and UUIDs of a run. Hosts have their own implementation; the vectors in
//! `conformance/bridge/random.json` hold them to this one.

use uuid::Uuid;

/// The seed of a run: the first eight bytes, big-endian, of the UUID v5 of its execution ID in the OID name space.
pub fn seed(execution_id: &str) -> u64 {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, execution_id.as_bytes()).as_u64_pair().0
}

/// SplitMix64 by Steele, Lea and Flood.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The generator of this seed.
    pub const fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// The next 64 bits.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// The next number in [0, 1): the upper 53 bits divided by 2^53.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit an f64 exactly")]
    pub fn next_f64(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// The UUIDs of a run: UUID v5 of the decimal numbers 1, 2, 3 … in the run's name space, which is its execution ID
/// where that is a UUID, else the UUID v5 of the execution ID in the OID name space.
#[derive(Clone, Debug)]
pub struct Uuids {
    space: Uuid,
    count: u64,
}

impl Uuids {
    /// The UUIDs of the run with this execution ID.
    pub fn new(execution_id: &str) -> Uuids {
        Uuids { space: namespace(execution_id), count: 0 }
    }

    /// The next one.
    pub fn next_uuid(&mut self) -> Uuid {
        self.count += 1;
        Uuid::new_v5(&self.space, self.count.to_string().as_bytes())
    }
}

/// The name space of everything that is derived from a run: the execution ID itself where it is a UUID in its usual
/// form of 36 characters.
pub fn namespace(execution_id: &str) -> Uuid {
    let own = Some(execution_id).filter(|id| id.len() == 36).and_then(|id| Uuid::parse_str(id).ok());
    own.unwrap_or_else(|| Uuid::new_v5(&Uuid::NAMESPACE_OID, execution_id.as_bytes()))
}

/// The key that all attempts of one call of an activity have, from the run's name space and the id of the first one.
pub fn task_key(space: &Uuid, first: i32) -> String {
    Uuid::new_v5(space, format!("task {first}").as_bytes()).to_string()
}

/// The default ID of a child: `<instance>:`, the first 8 hex digits of the execution ID and the action's id, unique across
/// generations and restarts.
pub fn child_id(instance_id: &str, execution_id: &str, id: i32) -> String {
    let digits: String = execution_id.chars().filter(char::is_ascii_hexdigit).take(8).collect();
    format!("{instance_id}:{digits}{id:04x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix_gives_its_published_numbers() {
        let mut random = Random::new(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| random.next_u64()).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }
}
