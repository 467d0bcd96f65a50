// The three sentences: true of the figures in every state in which a run can end.

import Testing

@testable import ComparisonReport

@Suite("The three sentences")
struct SentenceTests {
  @Test("say what the figures show, and nothing else", arguments: ComparisonCases.all)
  func says(_ example: ComparisonCase) {
    let text = example.comparison.sentences.joined(separator: " ")
    for phrase in example.says { #expect(text.contains(phrase), "\"\(phrase)\" is missing in: \(text)") }
    for phrase in example.avoids { #expect(!text.contains(phrase), "\"\(phrase)\" stands in: \(text)") }
  }

  @Test("are three, each whole", arguments: ComparisonCases.all)
  func areThree(_ example: ComparisonCase) {
    let sentences = example.comparison.sentences
    #expect(sentences.count == 3)
    for sentence in sentences {
      #expect(sentence.hasSuffix(".") && !sentence.hasSuffix(".."))
      #expect(sentence.first?.isUppercase == true || sentence.hasPrefix("bigLock"))
      for broken in ["nan", "inf ", "nil", "Optional", "  ", " ,", ";.", " ."] {
        #expect(!sentence.contains(broken), "\"\(broken)\" stands in: \(sentence)")
      }
    }
  }

  @Test("a headline agrees with them", arguments: ComparisonCases.all)
  func headline(_ example: ComparisonCase) {
    let headline = example.comparison.headline
    #expect(!headline.isEmpty)
    #expect(headline.contains("too noisy") == example.comparison.sentences[0].contains("too noisy"))
    #expect(headline.contains("big lock wins") == example.comparison.sentences[0].contains("big lock wins"))
  }
}
