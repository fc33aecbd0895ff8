-- A bill on hold has no number: it draws one when it is validated.
ALTER TABLE customer_bill
    ALTER COLUMN number DROP NOT NULL,
    ADD CHECK ((number IS NULL) = (state = 'onHold')) NOT VALID;
