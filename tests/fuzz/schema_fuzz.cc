// A collection's schema: loaded, or refused with the file's name; and a loaded one can judge.
#include "sync/schema.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/json.h"
#include "tests/support/world.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using waystation::testing::op;
  using waystation::testing::read_source;
  static const std::string kScope = read_source("schemas/collections/scope.v1.json");
  const std::string text(waystation::fuzz::text_of(data, size));
  const auto loaded = waystation::Schemas::parse({{"scope.v1.json", kScope}, {"fuzz.json", text}});
  if (!loaded) {
    WS_CHECK(loaded.error().code == waystation::Code::kSchemaInvalid);
    WS_CHECK(loaded.error().context.starts_with("fuzz.json: "));
    return 0;
  }
  static const auto kEdits = {R"("set":{"text":"z","done":true,"event":"a","at":1})",
                              R"("add":{"tags":["x"]})", R"("append":{"remarks":["z"]})",
                              R"("inc":{"water":1})", R"("del":true)"};
  for (const auto& [name, collection] : loaded->collections()) {
    for (const char* edits : kEdits) {
      auto decoded = waystation::decode_op(op(1).on("note", "a~b").does(edits).json());
      WS_CHECK(decoded.ok());
      decoded->coll = name;
      (void)loaded->check(*decoded);
    }
  }
  return 0;
}
