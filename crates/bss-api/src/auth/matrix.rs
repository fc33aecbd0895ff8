use std::collections::{BTreeMap, BTreeSet};

use bss_app::Role;
use http::Method;

/// The committed table.
const TABLE: &str = include_str!("../../authorization.txt");

/// Whose data a role reaches on a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// That of the caller's own customer.
    Own,
    /// That of the whole tenant.
    All,
}

/// Who may call a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// Anyone, without a token.
    Anyone,
    /// These roles, each with its reach.
    Roles(BTreeMap<Role, Reach>),
}

/// A mistake in the table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("authorization.txt, line {line}: {problem}")]
pub struct MatrixError {
    line: usize,
    problem: String,
}

/// The authorization matrix: what isn't in it is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix(BTreeMap<(String, String), Rule>);

impl Matrix {
    /// The committed one.
    pub fn committed() -> Result<Self, MatrixError> {
        Self::parse(TABLE)
    }

    /// Reads a table: method, path and one column per role, in the order of the header line.
    pub fn parse(text: &str) -> Result<Self, MatrixError> {
        let mut header: Option<Vec<Role>> = None;
        let mut rules = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            let wrong = |problem: String| MatrixError {
                line: number + 1,
                problem,
            };
            let words: Vec<&str> = line.split_whitespace().collect();
            let Some(first) = words.first().filter(|word| !word.starts_with('#')) else {
                continue;
            };
            let Some(roles) = &header else {
                header = Some(columns(&words).map_err(wrong)?);
                continue;
            };
            let key = key(first, words.get(1).copied()).map_err(wrong)?;
            let rule = rule(&words[2..], roles).map_err(wrong)?;
            if rules.insert(key, rule).is_some() {
                return Err(wrong(format!("{first} {} stands twice", words[1])));
            }
        }
        Ok(Self(rules))
    }

    /// The rule of a route, by its method and its path's template. None: it is missing, and refused.
    pub fn rule(&self, method: &Method, path: &str) -> Option<&Rule> {
        // A HEAD is a GET whose body is left out.
        let method = if method == Method::HEAD {
            "GET"
        } else {
            method.as_str()
        };
        self.0.get(&(path.to_owned(), method.to_owned()))
    }

    /// All routes: method, path, rule.
    pub fn routes(&self) -> impl Iterator<Item = (&str, &str, &Rule)> {
        self.0
            .iter()
            .map(|((path, method), rule)| (method.as_str(), path.as_str(), rule))
    }
}

fn columns(words: &[&str]) -> Result<Vec<Role>, String> {
    let Some((&["method", "path"], names)) = words.split_first_chunk() else {
        return Err("the first line names the columns: method path, then the roles".to_owned());
    };
    let roles = names
        .iter()
        .map(|name| name.parse::<Role>().map_err(|error| error.to_string()));
    let roles = roles.collect::<Result<Vec<_>, _>>()?;
    let distinct: BTreeSet<Role> = roles.iter().copied().collect();
    if roles.len() != Role::ALL.len() || distinct.len() != roles.len() {
        return Err("every role has one column".to_owned());
    }
    Ok(roles)
}

fn key(method: &str, path: Option<&str>) -> Result<(String, String), String> {
    if !["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&method) {
        return Err(format!("{method} is no method"));
    }
    let path = path
        .filter(|path| path.starts_with('/'))
        .ok_or("the path is missing")?;
    Ok((path.to_owned(), method.to_owned()))
}

fn rule(cells: &[&str], roles: &[Role]) -> Result<Rule, String> {
    if cells == ["anyone"] {
        return Ok(Rule::Anyone);
    }
    if cells.len() != roles.len() {
        return Err(format!("{} cells for {} roles", cells.len(), roles.len()));
    }
    let mut granted = BTreeMap::new();
    for (cell, role) in cells.iter().zip(roles) {
        let reach = match *cell {
            "all" => Reach::All,
            "own" => Reach::Own,
            "-" => continue,
            other => return Err(format!("{other:?} is neither all, own nor -")),
        };
        // Only a customer has data of its own.
        if reach == Reach::Own && *role != Role::Customer {
            return Err(format!("{role} can't have {cell}"));
        }
        granted.insert(*role, reach);
    }
    Ok(Rule::Roles(granted))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "method path admin csr product-manager billing network operations customer\n";

    #[test]
    fn the_committed_table_is_well_formed() {
        assert_ne!(Matrix::committed().unwrap().routes().count(), 0);
    }

    /// What has no owner is the catalog alone: anything else that a customer reached whole would be a leak.
    #[test]
    fn customers_see_the_catalog_whole_and_nothing_else() {
        for (method, path, rule) in Matrix::committed().unwrap().routes() {
            let Rule::Roles(roles) = rule else { continue };
            assert_eq!(roles.get(&Role::Admin), Some(&Reach::All), "{method} {path}");
            if roles.get(&Role::Customer) == Some(&Reach::All) {
                assert!(
                    path.starts_with("/tmf-api/productCatalogManagement/v4/") && method == "GET",
                    "{method} {path}"
                );
            }
        }
    }

    #[test]
    fn a_table_is_read_row_by_row() {
        let text =
            format!("# why\n{HEADER}\nGET /a all all - - - - own\nPOST /a all - - - - - -\nGET /b anyone\n");
        let matrix = Matrix::parse(&text).unwrap();
        let roles = BTreeMap::from([
            (Role::Admin, Reach::All),
            (Role::Csr, Reach::All),
            (Role::Customer, Reach::Own),
        ]);
        assert_eq!(matrix.rule(&Method::GET, "/a"), Some(&Rule::Roles(roles.clone())));
        assert_eq!(matrix.rule(&Method::HEAD, "/a"), Some(&Rule::Roles(roles)));
        assert_eq!(matrix.rule(&Method::GET, "/b"), Some(&Rule::Anyone));
        assert_eq!(matrix.rule(&Method::DELETE, "/a"), None);
        assert_eq!(matrix.rule(&Method::GET, "/c"), None);
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        for (line, problem) in [
            ("GET /a all", "1 cells for 7 roles"),
            ("GET a all all - - - - own", "the path is missing"),
            ("FETCH /a anyone", "FETCH is no method"),
            ("GET /a some - - - - - -", "\"some\" is neither all, own nor -"),
            ("GET /a own - - - - - -", "admin can't have own"),
            ("GET /a anyone\nGET /a anyone", "GET /a stands twice"),
        ] {
            let error = Matrix::parse(&format!("{HEADER}{line}")).unwrap_err();
            assert_eq!(error.problem, problem);
            assert!(error.line >= 2);
        }
        assert!(Matrix::parse("method path admin csr\n").is_err());
        assert!(Matrix::parse("GET /a anyone\n").is_err());
    }
}
