use crate::state::states;

states! {
    /// The states of a ProductOrder (TMF622 §ProductOrderStateType).
    OrderState of "ProductOrder" {
        /// Its form is right; what it asks for hasn't been looked at yet.
        Acknowledged = "acknowledged" => [Rejected, InProgress];
        /// What it asks for can't be had.
        Rejected = "rejected" => [];
        /// It waits for something outside.
        Pending = "pending" => [InProgress, AssessingCancellation];
        /// Somebody has to decide.
        Held = "held" => [InProgress, AssessingCancellation];
        /// It is being fulfilled.
        InProgress = "inProgress" => [Pending, Held, Completed, Partial, Failed, AssessingCancellation];
        /// Whether it can still be cancelled is being looked at.
        AssessingCancellation = "assessingCancellation" => [PendingCancellation, InProgress, Pending, Held];
        /// It is being undone.
        PendingCancellation = "pendingCancellation" => [Cancelled];
        /// It was undone.
        Cancelled = "cancelled" => [];
        /// Everything was done.
        Completed = "completed" => [];
        /// Some of it was done, some failed.
        Partial = "partial" => [];
        /// Nothing of it was done.
        Failed = "failed" => [];
    }
}

impl OrderState {
    /// States that nothing leads out of.
    pub const TERMINAL: &'static [Self] = &[
        Self::Rejected,
        Self::Cancelled,
        Self::Completed,
        Self::Partial,
        Self::Failed,
    ];

    /// Whether nothing leads out of it.
    pub fn is_terminal(self) -> bool {
        Self::TERMINAL.contains(&self)
    }
}

states! {
    /// The states of a ProductOrderItem (TMF622 §ProductOrderItemStateType).
    ItemState of "ProductOrderItem" {
        /// Accepted with its order.
        Acknowledged = "acknowledged" => [Rejected, InProgress, Cancelled];
        /// It can't be had.
        Rejected = "rejected" => [];
        /// It waits for something outside.
        Pending = "pending" => [InProgress, AssessingCancellation, Cancelled];
        /// Somebody has to decide: it is in the fallout queue.
        Held = "held" => [InProgress, Failed, AssessingCancellation, Cancelled];
        /// It is being fulfilled.
        InProgress = "inProgress" => [Pending, Held, Completed, Failed, AssessingCancellation, Cancelled];
        /// Whether it can still be cancelled is being looked at.
        AssessingCancellation = "assessingCancellation" => [PendingCancellation, InProgress];
        /// It is being undone.
        PendingCancellation = "pendingCancellation" => [Cancelled];
        /// It was undone.
        Cancelled = "cancelled" => [];
        /// It was done.
        Completed = "completed" => [];
        /// It could not be done.
        Failed = "failed" => [];
    }
}

impl ItemState {
    /// States that nothing leads out of.
    pub const TERMINAL: &'static [Self] = &[Self::Rejected, Self::Cancelled, Self::Completed, Self::Failed];

    /// Whether nothing leads out of it.
    pub fn is_terminal(self) -> bool {
        Self::TERMINAL.contains(&self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_states_are_those_without_an_arrow() {
        for state in OrderState::ALL {
            assert_eq!(state.is_terminal(), state.successors().is_empty(), "{state}");
        }
        for state in ItemState::ALL {
            assert_eq!(state.is_terminal(), state.successors().is_empty(), "{state}");
        }
    }

    #[test]
    fn illegal_arrows_are_refused() {
        let refusal = OrderState::Completed.to(OrderState::InProgress).unwrap_err();
        assert_eq!(
            refusal.message,
            "ProductOrder can't go from completed to inProgress"
        );
        let legal: usize = OrderState::ALL.iter().map(|state| state.successors().len()).sum();
        let tried = OrderState::ALL
            .iter()
            .flat_map(|from| OrderState::ALL.iter().map(move |to| from.to(*to)))
            .flatten()
            .count();
        assert_eq!((legal, tried), (17, 17));
    }

    #[test]
    fn the_specifications_trailing_space_is_read() {
        assert_eq!("completed ".parse::<OrderState>().unwrap(), OrderState::Completed);
        assert_eq!(
            "done".parse::<OrderState>().unwrap_err().value.as_deref(),
            Some("done")
        );
    }
}
