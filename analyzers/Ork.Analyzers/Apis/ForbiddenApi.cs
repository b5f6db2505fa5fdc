using Microsoft.CodeAnalysis;

namespace Ork.Analyzers.Apis;

/// <summary>One line of the table of APIs that a rule forbids.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="Type">The full metadata name of the type, or a namespace where it ends in <c>.*</c>.</param>
/// <param name="Members">Its members; <c>.ctor</c> for constructors; none for all of them.</param>
/// <param name="Instead">What to do instead.</param>
internal sealed record ForbiddenApi(Rule Rule, string Type, string[] Members, string Instead)
{
    /// <summary>Members that are allowed where all others are not.</summary>
    internal string[] Except { get; init; } = [];

    /// <summary>Where only some uses are forbidden: which.</summary>
    internal Func<ApiUse, bool>? When { get; init; }

    /// <summary>The roles, where they are not all of the rule's.</summary>
    internal Roles? Only { get; init; }

    internal Roles Roles => Only ?? Rule.Roles;

    internal bool Names(string member) =>
        Members.Length == 0 ? Array.IndexOf(Except, member) < 0 : Array.IndexOf(Members, member) >= 0;
}

/// <summary>A use of a member in code.</summary>
/// <param name="Operation">The operation that uses it.</param>
/// <param name="Member">The member.</param>
internal readonly record struct ApiUse(IOperation Operation, ISymbol Member)
{
    internal IMethodSymbol? Method => Member as IMethodSymbol;
}
