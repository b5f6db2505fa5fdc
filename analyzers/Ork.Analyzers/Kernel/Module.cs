using Microsoft.CodeAnalysis;

namespace Ork.Analyzers.Kernel;

/// <summary>What makes code a module's: its folder <c>Modules/NAME</c>, its namespace <c>...Modules.NAME</c>, or that its methods take a turn.</summary>
internal static class Module
{
    /// <summary>The module that declares a type, or null.</summary>
    internal static string? Of(INamedTypeSymbol? type)
    {
        for (; type?.ContainingType is not null; type = type.ContainingType)
        {
        }

        if (type is null) return null;
        for (var space = type.ContainingNamespace; space is { IsGlobalNamespace: false }; space = space.ContainingNamespace)
        {
            if (space.ContainingNamespace is { Name: "Modules" }) return space.Name;
        }

        foreach (var reference in type.DeclaringSyntaxReferences)
        {
            var parts = reference.SyntaxTree.FilePath.Split('/', '\\');
            var at = Array.LastIndexOf(parts, "Modules");
            if (at >= 0 && at + 2 < parts.Length) return parts[at + 1];
        }

        return null;
    }

    /// <summary>True for a type that is handed turns.</summary>
    internal static bool TakesTurns(INamedTypeSymbol? type)
    {
        for (; type is not null; type = type.ContainingType)
        {
            if (type.GetMembers().Any(member => member is IMethodSymbol { MethodKind: MethodKind.Ordinary or MethodKind.ExplicitInterfaceImplementation } method
                && method.Parameters.Any(parameter => IsTurn(parameter.Type)))) return true;
        }

        return false;
    }

    internal static bool IsTurn(ITypeSymbol type) => type is { Name: "Turn", ContainingNamespace: { Name: "Kernel", ContainingNamespace.Name: "Ork" } };
}
