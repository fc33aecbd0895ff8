use std::fmt::Write as _;

use serde_json::Value;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;\
color:#1a1a1a;background:#fff}code{font-family:ui-monospace,monospace}h2{margin-top:2.5rem}\
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ddd;padding:.3rem .6rem;text-align:left;\
vertical-align:top}.method{font-weight:600;width:5rem}\
@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#161616}td,th{border-color:#444}a{color:#8ab4f8}}";

/// The document as one page.
pub(super) fn render(document: &Value) -> String {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>BSS API</title><style>{STYLE}</style></head><body>\
         <h1>BSS API {}</h1><p>{} The whole description for programs: <a href=\"/openapi.json\">openapi.json</a>.</p>",
        text(&document["info"]["version"]),
        text(&document["info"]["description"])
    );
    for tag in document["tags"].as_array().into_iter().flatten() {
        let name = tag["name"].as_str().unwrap_or_default();
        let _ = write!(page, "<h2>{}</h2><table>", escaped(name));
        operations(document, name, &mut page);
        page.push_str("</table>");
    }
    page.push_str("<h1>Attributes</h1>");
    for (name, schema) in document["components"]["schemas"]
        .as_object()
        .into_iter()
        .flatten()
    {
        attributes(name, schema, &mut page);
    }
    page.push_str("</body></html>");
    page
}

fn operations(document: &Value, tag: &str, page: &mut String) {
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            if operation["tags"][0] != tag {
                continue;
            }
            let about = operation.get("summary").unwrap_or(&operation["operationId"]);
            let _ = write!(
                page,
                "<tr><td class=\"method\">{}</td><td><code>{}</code></td><td>{}</td></tr>",
                method.to_uppercase(),
                escaped(path),
                text(about)
            );
        }
    }
}

fn attributes(name: &str, schema: &Value, page: &mut String) {
    let _ = write!(page, "<h2 id=\"{0}\">{0}</h2><table>", escaped(name));
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for (attribute, about) in schema["properties"].as_object().into_iter().flatten() {
        let note = if required.iter().any(|wanted| wanted == attribute) {
            "required"
        } else if about["readOnly"] == true {
            "read-only"
        } else {
            ""
        };
        let kind = about["type"]
            .as_str()
            .or_else(|| about["$ref"].as_str()?.rsplit('/').next())
            .unwrap_or("any");
        let _ = write!(
            page,
            "<tr><td><code>{}</code></td><td>{}</td><td>{note}</td><td>{}</td></tr>",
            escaped(attribute),
            escaped(kind),
            text(&about["description"])
        );
    }
    page.push_str("</table>");
}

fn text(value: &Value) -> String {
    escaped(value.as_str().unwrap_or_default())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
