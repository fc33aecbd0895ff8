use http::Method;
use serde_json::{Map, Value, json};

use super::schema;
use crate::kit::{Api, LIMIT_MAX, Resource, View, hub_path, hubs};
use crate::resources;
use crate::v1::{Operation, operations};

/// Statuses that any call may get, with what they mean.
const ERRORS: &[(&str, &str)] = &[
    (
        "400",
        "malformed, a wrong value, an unknown reference, a write to a read-only attribute",
    ),
    ("401", "no valid token"),
    ("403", "not with these roles"),
    ("429", "too many calls: see Retry-After"),
    ("503", "overloaded: see Retry-After"),
];

/// The whole document.
pub fn document() -> Value {
    let mut paths = Map::new();
    let mut schemas = schema::common();
    let mut tags: Vec<Value> = Vec::new();
    for resource in resources::ALL {
        schemas.insert(
            resource.kind.to_owned(),
            schema::of_resource(resource.kind, resource.shape),
        );
        let tag = json!({ "name": resource.api.title });
        if !tags.contains(&tag) {
            tags.push(tag);
        }
        add_resource(&mut paths, resource);
    }
    for view in resources::VIEWS {
        entry(&mut paths, &view.path())["get"] = shown(view);
    }
    schemas.insert("EventSubscription".to_owned(), schema::event_subscription());
    for (api, _) in hubs(resources::ALL) {
        add_hub(&mut paths, api);
    }
    tags.push(json!({ "name": V1 }));
    for operation in operations() {
        entry(&mut paths, operation.path)[method_name(&operation.method)] = v1_operation(operation);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "BSS",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "TM Forum's Open APIs of the product, and what they don't have under /bss-api/v1.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "oidc": [] }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "oidc": { "type": "openIdConnect", "openIdConnectUrl": "/realms/bss/.well-known/openid-configuration" },
            },
        },
    })
}

const V1: &str = "BSS";

fn method_name(method: &Method) -> String {
    method.as_str().to_lowercase()
}

fn entry<'p>(paths: &'p mut Map<String, Value>, path: &str) -> &'p mut Value {
    paths.entry(path.to_owned()).or_insert_with(|| json!({}))
}

fn add_resource(paths: &mut Map<String, Value>, resource: &Resource) {
    let collection = resource.collection();
    let one = format!("{collection}/{{id}}");
    let kind = resource.kind;
    let body = reference(kind);
    let list = json!({ "type": "array", "items": body });
    let operations = resource.operations;
    let all = entry(paths, &collection);
    all["get"] = operation(
        resource,
        &format!("list{kind}"),
        &list_parameters(),
        None,
        &[("200", &list)],
    );
    if operations.create {
        let answers = [("201", &body), ("409", &error()), ("422", &error())];
        let key = json!([{ "name": "Idempotency-Key", "in": "header", "schema": { "type": "string", "maxLength": 255 },
            "required": false, "description": "any text that is new for each call: sent again with it, the call is the same call" }]);
        all["post"] = operation(resource, &format!("create{kind}"), &key, Some(&body), &answers);
    }
    let single = entry(paths, &one);
    single["parameters"] =
        json!([{ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }]);
    let missing = error();
    single["get"] = operation(
        resource,
        &format!("retrieve{kind}"),
        &json!([fields()]),
        None,
        &[("200", &body), ("404", &missing)],
    );
    let if_match = json!([{ "name": "If-Match", "in": "header", "schema": { "type": "string" }, "required": false,
        "description": "the ETag of the version that is to be changed" }]);
    let conflicts = [("404", &missing), ("409", &missing), ("412", &missing)];
    if operations.patch {
        let answers: Vec<_> = [("200", &body)].into_iter().chain(conflicts).collect();
        single["patch"] = operation(
            resource,
            &format!("patch{kind}"),
            &if_match,
            Some(&json!({})),
            &answers,
        );
        let content = single["patch"]["requestBody"]["content"].take();
        single["patch"]["requestBody"]["content"] =
            json!({ "application/merge-patch+json": content["application/json"] });
    }
    if operations.delete {
        let nothing = Value::Null;
        let answers: Vec<_> = [("204", &nothing)].into_iter().chain(conflicts).collect();
        single["delete"] = operation(resource, &format!("delete{kind}"), &if_match, None, &answers);
    }
}

/// Where callbacks are registered and removed.
fn add_hub(paths: &mut Map<String, Value>, api: &Api) {
    let number = api.title.split(' ').next().unwrap_or_default();
    let (path, body, missing) = (hub_path(api), reference("EventSubscription"), error());
    entry(paths, &path)["post"] = json!({
        "operationId": format!("register{number}Callback"), "tags": [api.title],
        "summary": "registers a callback that is told of this API's events, at least once each",
        "requestBody": { "required": true, "content": { "application/json": { "schema": body } } },
        "responses": responses(&[("201", &body), ("409", &missing)]),
    });
    let one = entry(paths, &format!("{path}/{{id}}"));
    one["parameters"] =
        json!([{ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }]);
    one["delete"] = json!({
        "operationId": format!("remove{number}Callback"), "tags": [api.title],
        "summary": "removes a callback, with all that it was still to be told",
        "responses": responses(&[("204", &Value::Null), ("404", &missing)]),
    });
}

/// A view's operation.
fn shown(view: &View) -> Value {
    let resource = view.resource;
    let id = format!("{}{}", view.name, resource.kind);
    let missing = error();
    let parameter = json!([{ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }]);
    let mut operation = operation(resource, &id, &parameter, None, &[("404", &missing)]);
    let schema = match view.media_type {
        "application/json" => json!({ "type": "object", "additionalProperties": true }),
        _ => json!({ "type": "string", "format": "binary" }),
    };
    operation["summary"] = view.about.into();
    operation["responses"]["200"] =
        json!({ "description": view.about, "content": { view.media_type: { "schema": schema } } });
    operation
}

fn operation(
    resource: &Resource,
    id: &str,
    parameters: &Value,
    body: Option<&Value>,
    answers: &[(&str, &Value)],
) -> Value {
    let mut operation = json!({
        "operationId": id, "tags": [resource.api.title], "parameters": parameters, "responses": responses(answers),
    });
    if let Some(schema) = body {
        operation["requestBody"] =
            json!({ "required": true, "content": { "application/json": { "schema": schema } } });
    }
    operation
}

fn responses(answers: &[(&str, &Value)]) -> Value {
    let mut responses = Map::new();
    for (status, schema) in answers {
        let description = match *status {
            "200" | "201" => "the resource as it stands",
            "204" => "removed",
            "404" => "there is no such thing, or the caller may not see it",
            "409" => "at odds with the present state, or with what exists already",
            "412" => "it was changed: If-Match failed",
            "422" => "the idempotency key was used with another body",
            _ => "see the body",
        };
        responses.insert((*status).to_owned(), answer(description, schema));
    }
    for (status, description) in ERRORS {
        responses.insert((*status).to_owned(), answer(description, &error()));
    }
    Value::Object(responses)
}

fn answer(description: &str, schema: &Value) -> Value {
    if schema.is_null() {
        return json!({ "description": description });
    }
    json!({ "description": description, "content": { "application/json": { "schema": schema } } })
}

fn reference(kind: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{kind}") })
}

fn error() -> Value {
    reference("Error")
}

fn fields() -> Value {
    json!({ "name": "fields", "in": "query", "schema": { "type": "string" }, "description": "the attributes that are wanted, by commas" })
}

fn list_parameters() -> Value {
    json!([
        fields(),
        { "name": "offset", "in": "query", "schema": { "type": "integer", "minimum": 0, "default": 0 } },
        { "name": "limit", "in": "query", "schema": { "type": "integer", "minimum": 0, "maximum": LIMIT_MAX, "default": 20 } },
        { "name": "sort", "in": "query", "schema": { "type": "string" }, "description": "attributes by commas, `-` before one descends" },
        { "name": "filter", "in": "query", "schema": { "type": "object", "additionalProperties": { "type": "string" } },
          "style": "form", "explode": true,
          "description": "any attribute's path with a value, or several by commas; `.gt`, `.gte`, `.lt`, `.lte` and `.ne` behind it compare" },
    ])
}

fn v1_operation(operation: &Operation) -> Value {
    let name: String = operation
        .path
        .trim_start_matches("/bss-api/v1/")
        .split(['/', '{', '}'])
        .filter(|part| !part.is_empty())
        .map(|part| part[..1].to_uppercase() + &part[1..])
        .collect();
    let query = operation
        .query
        .iter()
        .map(|name| json!({ "name": name, "in": "query", "schema": { "type": "string" } }));
    let path = operation
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }));
    let parameters: Vec<Value> = path.chain(query).collect();
    let schema = if operation.list {
        json!({ "type": "array", "items": { "type": "object", "additionalProperties": true } })
    } else {
        json!({ "type": "object", "additionalProperties": true })
    };
    let mut described = json!({
        "operationId": format!("{}{name}", method_name(&operation.method)), "tags": [V1], "summary": operation.about,
        "parameters": parameters, "responses": responses(&[("200", &schema)]),
    });
    if let Some(media) = operation.body {
        let schema = match media {
            "application/json" => json!({ "type": "object", "additionalProperties": true }),
            _ => json!({ "type": "string" }),
        };
        described["requestBody"] = json!({ "content": { media: { "schema": schema } } });
    }
    described
}
