//! From values to settings, with everything that is wrong on the way.

use atoma_domain::ObjectId;
use confique::{Config as _, Layer as _};
use figment::value::{Dict, Value};

use super::error::{self, Problem};
use super::keys;
use super::settings::Settings;

type SettingsLayer = <Settings as confique::Config>::Layer;

/// Reads the settings, and returns all problems. There are settings whenever there are no problems.
pub(super) fn read(mut values: Dict) -> (Option<Settings>, Vec<Problem>) {
    let mut problems = Vec::new();
    let all = Value::from(values.clone());
    for number in keys::NUMBERS {
        let value = all.find_ref(number.key).and_then(whole);
        if let Some(rule) = value.and_then(|value| number.broken_by(value)) {
            problems.push(Problem::new(number.key, rule));
            remove(&mut values, number.key);
        }
    }
    let mut layer = typed(values, &mut problems);
    for key in keys::all().iter().filter(|key| key.is_required) {
        let is_told = problems.iter().any(|told| is_at(&key.name, &told.key));
        if all.find_ref(&key.name).is_none() && !is_told {
            problems.push(Problem::new(&key.name, "is missing"));
        }
    }
    if !problems.is_empty() {
        // Stand-ins, with which the other settings can be checked.
        layer.data_dir.get_or_insert_default();
        layer.sui.client_config.get_or_insert_default();
        layer.sui.package_id.get_or_insert(ObjectId::ZERO);
        layer.sui.atoma_db_id.get_or_insert(ObjectId::ZERO);
    }
    match Settings::from_layer(layer) {
        Ok(settings) => {
            // What was dropped under a key explains why the rest breaks a rule.
            let further = settings.problems().into_iter();
            let further: Vec<_> = further
                .filter(|further| !problems.iter().any(|told| is_at(&told.key, &further.key)))
                .collect();
            problems.extend(further);
            (Some(settings), problems)
        }
        Err(error) => {
            problems.push(Problem::new("", error.to_string()));
            (None, problems)
        }
    }
}

/// The values in their types, over the defaults. A value at fault is noted and dropped, so that the next
/// one comes to light.
fn typed(mut values: Dict, problems: &mut Vec<Problem>) -> SettingsLayer {
    loop {
        let failed = match Value::from(values.clone()).deserialize::<SettingsLayer>() {
            Ok(layer) => return layer.with_fallback(SettingsLayer::default_values()),
            Err(failed) => failed,
        };
        let problem = error::problem(&failed)
            .unwrap_or_else(|| Problem::new("", format!("is invalid: {failed}")));
        let is_removed = remove(&mut values, &problem.key);
        problems.push(problem);
        if !is_removed {
            return SettingsLayer::default_values();
        }
    }
}

/// Whether a key is another one or under it.
fn is_at(key: &str, other: &str) -> bool {
    let rest = key.strip_prefix(other);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// A whole number that is not negative. The file's are signed.
fn whole(value: &Value) -> Option<u128> {
    let signed = || value.to_i128().and_then(|value| u128::try_from(value).ok());
    value.to_u128().or_else(signed)
}

/// Removes a key, or the nearest one above it that is there. Says whether there was one.
fn remove(values: &mut Dict, key: &str) -> bool {
    let (name, below) = key.split_once('.').unwrap_or((key, ""));
    if let Some(Value::Dict(_, inner)) = values.get_mut(name)
        && !below.is_empty()
        && remove(inner, below)
    {
        return true;
    }
    values.remove(name).is_some()
}
