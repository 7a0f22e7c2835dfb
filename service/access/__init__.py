"""Who is calling, and how often they may: API keys, tokens, rates."""
