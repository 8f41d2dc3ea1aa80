// What a list gives to go on from: the key of a row, sealed. It may be that of a row whose field
// the caller does not see (a page ends after so many reads), so it can be read by nobody but the
// server. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "storage/sealed.h"
#include "sync/result.h"

namespace waystation {

// Letters, digits, "-" and "_". Equal places give equal tokens.
[[nodiscard]] std::string page_token(const PersonKey& key, std::string_view place);
// Errors: kCursorInvalid (not one of ours).
[[nodiscard]] Result<std::string> place_of_token(const PersonKey& key, std::string_view token);

}  // namespace waystation
