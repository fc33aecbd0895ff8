import type { Catalogue } from '~/utils/text'

const texts: Catalogue = {
  'Home': 'Start', 'Customers': 'Klienci', 'Customer': 'Klient', 'Sell': 'Sprzedaż', 'Orders': 'Zamówienia', 'Order': 'Zamówienie', 'Catalog': 'Katalog',
  'Usage': 'Zużycie', 'Billing': 'Rozliczenia', 'Bills': 'Rachunki', 'Bill': 'Rachunek', 'Bill runs': 'Przebiegi rozliczeń',
  'Payments': 'Płatności', 'Payment': 'Płatność', 'Ledger': 'Księga', 'Events': 'Zdarzenia', 'Rejects': 'Odrzucone', 'Files': 'Pliki',
  'Search everything': 'Szukaj wszędzie', 'Keyboard shortcuts': 'Skróty klawiszowe', 'Sign out': 'Wyloguj', 'Language': 'Język',
  'Skip to content': 'Przejdź do treści', 'Menu': 'Menu', 'Dark mode': 'Tryb ciemny', 'Name': 'Nazwa', 'State': 'Stan', 'Amount': 'Kwota', 'Date': 'Data',
  'Columns': 'Kolumny', 'Export CSV': 'Eksport CSV', 'Previous page': 'Poprzednia strona', 'Next page': 'Następna strona',
  'Page {page} of {pages}': 'Strona {page} z {pages}', 'Rows per page': 'Wierszy na stronie', 'Clear filters': 'Wyczyść filtry',
  'Nothing matches these filters': 'Nic nie pasuje do filtrów', 'Try again': 'Spróbuj ponownie', 'Loading': 'Wczytywanie',
  'Cancel': 'Anuluj', 'Live': 'Na żywo', 'Paused': 'Wstrzymane', 'Stale': 'Nieaktualne', 'Copy': 'Kopiuj', 'Copied': 'Skopiowano', 'all': 'wszystkie',
  '{n} rows': { one: '{n} wiersz', few: '{n} wiersze', many: '{n} wierszy', other: '{n} wiersza' },
}
export default texts
