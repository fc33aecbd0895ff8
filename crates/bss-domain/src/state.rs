//! State machines: the published names, and the arrows that are ours.

/// Makes an enum of states with TM Forum's names and the arrows between them.
macro_rules! states {
    ($(#[$doc:meta])* $name:ident of $kind:literal { $($(#[$sdoc:meta])* $state:ident = $text:literal => [$($to:ident),*];)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$sdoc])* $state,)+ }

        impl $name {
            /// Every state.
            pub const ALL: &'static [Self] = &[$(Self::$state),+];

            /// Its published name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$state => $text,)+ }
            }

            /// The states that one arrow leads to.
            pub const fn successors(self) -> &'static [Self] {
                match self { $(Self::$state => &[$(Self::$to),*],)+ }
            }

            /// Goes along an arrow, or says that there is none.
            pub fn to(self, next: Self) -> Result<Self, $crate::Refusal> {
                if self.successors().contains(&next) {
                    Ok(next)
                } else {
                    Err($crate::Refusal::illegal_transition($kind, self, next))
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::Refusal;

            fn from_str(text: &str) -> Result<Self, $crate::Refusal> {
                // TMF637 v4 publishes "pendingActive " and others with a trailing space: both are read.
                Self::ALL.iter().copied().find(|state| state.name() == text.trim_end()).ok_or_else(|| {
                    let known: Vec<&str> = Self::ALL.iter().map(|state| state.name()).collect();
                    $crate::Refusal::invalid(
                        "unknownState", "state", text,
                        format!("{text:?} is no state of {}: {}", $kind, known.join(", ")),
                    )
                })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use states;
