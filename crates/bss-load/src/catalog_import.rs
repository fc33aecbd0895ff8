//! Loads a catalog from files over the public API. A file names a resource and lists its documents; an item's `key`
//! stands for its id in the references of later items.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::api_client::{ApiClient, ApiError, id_of, one_value};

/// Resources that a file may hold, with their paths.
const PATHS: &[(&str, &str)] = &[
    ("category", "/tmf-api/productCatalogManagement/v4/category"),
    (
        "productSpecification",
        "/tmf-api/productCatalogManagement/v4/productSpecification",
    ),
    (
        "productOffering",
        "/tmf-api/productCatalogManagement/v4/productOffering",
    ),
    (
        "productOfferingPrice",
        "/tmf-api/productCatalogManagement/v4/productOfferingPrice",
    ),
    (
        "serviceSpecification",
        "/tmf-api/serviceCatalogManagement/v4/serviceSpecification",
    ),
    (
        "resourceSpecification",
        "/tmf-api/resourceCatalog/v4/resourceSpecification",
    ),
];

/// Why a catalog wasn't loaded.
#[derive(Debug, thiserror::Error)]
pub enum CatalogImportError {
    /// A file can't be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// A file isn't what the format says.
    #[error("{}: {detail}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        detail: String,
    },
    /// The server refused an item.
    #[error("{}, item {key:?}: {source}", path.display())]
    Api {
        /// The file.
        path: PathBuf,
        /// The item.
        key: String,
        /// The server's answer.
        source: Box<ApiError>,
    },
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// Items that were created.
    pub created: usize,
    /// Items that stood there already, by name and version.
    pub known: usize,
    /// The ids by key.
    pub ids: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CatalogFile {
    resource: String,
    items: Vec<Value>,
}

/// Loads the files of a folder, in the order of their names, or one file.
pub async fn import(client: &ApiClient, place: &Path) -> Result<Imported, CatalogImportError> {
    let mut imported = Imported::default();
    for path in files(place)? {
        let form = |detail: String| CatalogImportError::Form {
            path: path.clone(),
            detail,
        };
        let text = std::fs::read_to_string(&path).map_err(read_error(&path))?;
        let file: CatalogFile = serde_json::from_str(&text).map_err(|error| form(error.to_string()))?;
        let Some((_, url)) = PATHS.iter().find(|(name, _)| *name == file.resource) else {
            let known: Vec<&str> = PATHS.iter().map(|(name, _)| *name).collect();
            return Err(form(format!(
                "resource {:?} is none of: {}",
                file.resource,
                known.join(", ")
            )));
        };
        for item in file.items {
            let (key, document) = resolve(item, &imported.ids).map_err(form)?;
            let api = |error| CatalogImportError::Api {
                path: path.clone(),
                key: key.clone(),
                source: Box::new(error),
            };
            let (created, id) = put(client, url, &document).await.map_err(api)?;
            *(if created {
                &mut imported.created
            } else {
                &mut imported.known
            }) += 1;
            imported.ids.insert(key, id);
        }
    }
    Ok(imported)
}

fn files(place: &Path) -> Result<Vec<PathBuf>, CatalogImportError> {
    if place.is_file() {
        return Ok(vec![place.to_path_buf()]);
    }
    let entries = std::fs::read_dir(place).map_err(read_error(place))?;
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "json"))
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(CatalogImportError::Form {
            path: place.to_path_buf(),
            detail: "no .json file in it".to_owned(),
        });
    }
    Ok(files)
}

fn read_error(path: &Path) -> impl FnOnce(std::io::Error) -> CatalogImportError {
    let path = path.to_path_buf();
    move |source| CatalogImportError::Read { path, source }
}

/// Takes an item's own key off and puts ids in place of the keys that it refers by.
fn resolve(mut item: Value, ids: &BTreeMap<String, String>) -> Result<(String, Value), String> {
    let key = item
        .as_object_mut()
        .and_then(|object| object.remove("key"))
        .and_then(|key| key.as_str().map(str::to_owned))
        .ok_or("an item has no key")?;
    replace_keys(&mut item, ids)?;
    Ok((key, item))
}

fn replace_keys(value: &mut Value, ids: &BTreeMap<String, String>) -> Result<(), String> {
    match value {
        Value::Object(object) => {
            if let Some(key) = object.remove("key") {
                let name = key.as_str().unwrap_or_default();
                let id = ids
                    .get(name)
                    .ok_or_else(|| format!("no earlier item has the key {key}"))?;
                object.insert("id".to_owned(), Value::from(id.as_str()));
            }
            object.values_mut().try_for_each(|each| replace_keys(each, ids))
        }
        Value::Array(items) => items.iter_mut().try_for_each(|each| replace_keys(each, ids)),
        _ => Ok(()),
    }
}

/// Creates an item, or finds it by name and version.
async fn put(client: &ApiClient, url: &str, document: &Value) -> Result<(bool, String), ApiError> {
    let name = document["name"].as_str().unwrap_or_default();
    let version = document["version"].as_str();
    let mut query = vec![("name", one_value(name))];
    query.extend(version.map(|version| ("version", one_value(version))));
    let query: Vec<(&str, &str)> = query
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let found = client.list_all(url, &query).await?;
    let known = found.iter().find(|other| other["name"].as_str() == Some(name));
    if let Some(known) = known {
        return Ok((false, id_of(url, known)?.to_owned()));
    }
    let created = client.post(url, document, None).await?;
    Ok((true, id_of(url, &created)?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_become_ids_at_any_depth() {
        let ids = [("price".to_owned(), "4711".to_owned())].into();
        let item = json!({"key": "plan", "name": "Plan", "list": [{"inner": {"key": "price", "name": "x"}}]});
        let (key, document) = resolve(item, &ids).unwrap();
        assert_eq!(key, "plan");
        assert_eq!(
            document,
            json!({"name": "Plan", "list": [{"inner": {"name": "x", "id": "4711"}}]})
        );
        let wrong = resolve(json!({"key": "plan", "of": {"key": "nothing"}}), &ids).unwrap_err();
        assert!(wrong.contains("nothing"), "{wrong}");
    }

    #[test]
    fn every_reference_of_the_demonstrations_catalog_leads_to_an_earlier_item() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../demo/catalog");
        let mut ids = BTreeMap::new();
        for path in files(&folder).unwrap() {
            let file: CatalogFile = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            assert!(
                PATHS.iter().any(|(name, _)| *name == file.resource),
                "{}",
                file.resource
            );
            for item in file.items {
                let (key, _) =
                    resolve(item, &ids).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                assert!(
                    ids.insert(key.clone(), key.clone()).is_none(),
                    "{key} stands there twice"
                );
            }
        }
        assert!(ids.len() > 40);
    }
}
