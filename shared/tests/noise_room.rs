//! Simulated rooms: the direct sound, the reflections, the decay.
#![allow(missing_docs, reason = "tests")]

mod common;

use common::*;
use shared::noise::room::{SPEED_OF_SOUND, SimulatedRoom};

const RATE_HZ: u32 = 16_000;

const ROOM: SimulatedRoom =
    SimulatedRoom { size_m: [6.0, 4.0, 2.7], source_m: [2.0, 3.1, 1.5], microphone_m: [4.2, 1.3, 1.2], rt60_s: 0.4 };

fn response(room: &SimulatedRoom, rate_hz: u32) -> Vec<f32> {
    room.impulse_response(rate_hz, &mut rng(1))
}

/// Time in which the energy that is yet to come (Schroeder 1965, "New method of measuring reverberation time") falls by
/// 60 dB, from a straight line through its level between −5 and −35 dB.
fn measured_rt60(response: &[f32], rate_hz: u32) -> f64 {
    let mut left = 0.0;
    let mut levels: Vec<f64> = response
        .iter()
        .rev()
        .map(|&tap| {
            left += f64::from(tap).powi(2);
            left
        })
        .collect();
    levels.reverse();
    let total = levels[0];
    let points: Vec<(f64, f64)> = levels
        .iter()
        .enumerate()
        .map(|(i, energy)| (i as f64 / f64::from(rate_hz), 10.0 * (energy / total).log10()))
        .filter(|(_, db)| (-35.0..=-5.0).contains(db))
        .collect();
    let count = points.len() as f64;
    let mean_time = points.iter().map(|(t, _)| t).sum::<f64>() / count;
    let mean_db = points.iter().map(|(_, db)| db).sum::<f64>() / count;
    let covariance: f64 = points.iter().map(|(t, db)| (t - mean_time) * (db - mean_db)).sum();
    let variance: f64 = points.iter().map(|(t, _)| (t - mean_time).powi(2)).sum();
    -60.0 * variance / covariance
}

#[test]
fn the_direct_sound_comes_first_at_its_distance() {
    // A whole number of samples away, along one axis.
    let metres = 40.0 * SPEED_OF_SOUND / f64::from(RATE_HZ);
    let room = SimulatedRoom {
        size_m: [20.0, 20.0, 20.0],
        source_m: [10.0, 10.0, 10.0],
        microphone_m: [10.0 + metres, 10.0, 10.0],
        rt60_s: 0.3,
    };
    assert!((room.distance_m() - metres).abs() < 1e-12);
    let response = response(&room, RATE_HZ);
    let expected = 1.0 / (4.0 * core::f64::consts::PI * metres);
    assert!((f64::from(response[40]) / expected - 1.0).abs() < 1e-4, "{} in place of {expected}", response[40]);
    // The nearest wall is 20 m away and back; a sinc on a whole sample leaves its neighbours alone.
    let others = response[..800].iter().enumerate().filter(|(i, _)| *i != 40);
    assert!(others.map(|(_, tap)| tap.abs()).fold(0.0, f32::max) < 1e-3 * response[40]);
}

#[test]
fn a_delay_between_samples_is_kept() {
    // The phase of a tone through the direct sound alone tells its delay to a fraction of a sample.
    for fraction in [0.0, 0.25, 0.5, 0.77] {
        let metres = (60.0 + fraction) * SPEED_OF_SOUND / f64::from(RATE_HZ);
        let room = SimulatedRoom {
            size_m: [30.0, 30.0, 30.0],
            source_m: [15.0, 15.0, 15.0],
            microphone_m: [15.0, 15.0 + metres, 15.0],
            rt60_s: 0.2,
        };
        let direct = &response(&room, RATE_HZ)[..120];
        for hz in [500.0, 3_000.0, 6_000.0] {
            let omega = core::f64::consts::TAU * hz / f64::from(RATE_HZ);
            let (mut re, mut im) = (0.0, 0.0);
            for (i, &tap) in direct.iter().enumerate() {
                re += f64::from(tap) * (omega * (i as f64 - 60.0 - fraction)).cos();
                im += f64::from(tap) * (omega * (i as f64 - 60.0 - fraction)).sin();
            }
            let gain = re.hypot(im) * 4.0 * core::f64::consts::PI * metres;
            assert!((gain - 1.0).abs() < 0.01, "{fraction}, {hz} Hz: gain {gain}");
            assert!((im.atan2(re) / omega).abs() < 0.01, "{fraction}, {hz} Hz: {} samples", im.atan2(re) / omega);
        }
    }
}

#[test]
fn first_reflections_are_where_mirrors_put_them() {
    // By hand: the source mirrored at each of the six walls.
    let response = response(&ROOM, RATE_HZ);
    let reflection = ROOM.reflection();
    let [source, microphone] = [ROOM.source_m, ROOM.microphone_m];
    for axis in 0..3 {
        for wall in [0.0, ROOM.size_m[axis]] {
            let mut image = source;
            image[axis] = 2.0 * wall - image[axis];
            let distance = (0..3).map(|k| (image[k] - microphone[k]).powi(2)).sum::<f64>().sqrt();
            let position = distance / SPEED_OF_SOUND * f64::from(RATE_HZ);
            let expected = -reflection / (4.0 * core::f64::consts::PI * distance);
            // A band-limited impulse sums to its amplitude; others may fall into the same few samples.
            let near = position.round() as usize;
            let sum: f64 = response[near - 3..=near + 3].iter().map(|&tap| f64::from(tap)).sum();
            assert!(sum < 0.5 * expected, "axis {axis}, wall at {wall} m: {sum}, expected about {expected}");
        }
    }
}

#[test]
fn eyrings_formula() {
    // Absorption of 0.2 on all walls of a cube of 5 m.
    let size = 5.0;
    let (volume, surface) = (125.0, 150.0);
    let rt60_s = 0.1611 * volume / (-surface * (1.0f64 - 0.2).ln());
    let room = SimulatedRoom { size_m: [size; 3], rt60_s, ..ROOM };
    assert!((room.reflection().powi(2) - 0.8).abs() < 1e-4, "{}", room.reflection());
}

#[test]
fn sound_decays_in_the_time_that_was_asked_for() {
    for (size_m, rt60_s) in [
        ([6.0, 4.0, 2.7], 0.2),
        ([6.0, 4.0, 2.7], 0.5),
        ([6.0, 4.0, 2.7], 1.2),
        ([10.0, 8.0, 4.0], 0.8),
        ([5.0, 5.0, 5.0], 0.4),
        ([3.0, 2.5, 2.4], 0.3),
        ([2.0, 2.0, 2.2], 1.5),
        ([20.0, 15.0, 8.0], 2.0),
    ] {
        for seed in 0..2 {
            use rand::RngExt;
            let mut random = rng(seed);
            let mut place = || size_m.map(|size: f64| size * random.random_range(0.2..0.8));
            let room = SimulatedRoom { size_m, source_m: place(), microphone_m: place(), rt60_s };
            let got = measured_rt60(&response(&room, RATE_HZ), RATE_HZ);
            println!("{size_m:?}, {rt60_s} s: {got:.3} s, {:+.0} %", 100.0 * (got / rt60_s - 1.0));
            assert!((got / rt60_s - 1.0).abs() < 0.3, "{size_m:?}, {rt60_s} s: {got} s");
        }
    }
}

#[test]
fn the_filter_leaves_the_direct_sound_where_it_was() {
    for rate_hz in [4_000, 16_000, 44_100] {
        let fir = ROOM.filter(rate_hz, &mut rng(1));
        let mut impulse = vec![0.0; 500];
        impulse[200] = 1.0;
        let output = fir.apply(&impulse);
        assert!((output[200] - 1.0).abs() < 1e-3, "{}", output[200]);
        assert!(output[..180].iter().all(|sample| sample.abs() < 1e-4));
    }
}

#[test]
fn any_room_can_be_simulated() {
    // What is beyond the images is filled up, and nothing takes forever.
    for (size_m, rt60_s) in [([1.0, 1.0, 1.0], 4.0), ([50.0, 1.0, 1.0], 4.0), ([50.0; 3], 4.0), ([50.0; 3], 0.05)] {
        for at in [[0.0; 3], [0.5, 0.5, 0.5], size_m] {
            let room = SimulatedRoom { size_m, source_m: at, microphone_m: [0.5, 0.5, 0.5], rt60_s };
            let response = response(&room, 4_000);
            assert!(response.iter().all(|tap| tap.is_finite()));
            assert!(response.len() < 4 * 4_000 + 2_000);
        }
    }
}
